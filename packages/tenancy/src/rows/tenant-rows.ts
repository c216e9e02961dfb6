import { type Clock, type Cursors, isUuid, type NewId, type Page, toPage } from '@svc/core';
import { constraintOf, expectUpdated, hasVersion, type Trx } from '@svc/db';
import type { Kysely, SelectQueryBuilder } from 'kysely';
import { ResourceConflict } from '../failures.ts';
import type { TenantIsolation } from '../isolation/tenant-isolation.ts';
import { after, type Order } from './order.ts';

export type TenantRow = Readonly<Record<string, unknown>>;

/** The versions a write is meant for; `undefined` stands for any. */
export type Versions = readonly number[] | undefined;

/** More in the transaction of a write: quotas, the audit log, an outbox. */
export type Alongside = (trx: Trx, row: TenantRow) => Promise<unknown>;

export interface RowQuery {
  readonly limit: number;
  readonly cursor?: string | undefined;
  /** What one of the searchable columns contains, in any case. */
  readonly contains?: string | undefined;
  readonly order: Order;
}

/** The rows of one table that a tenant has; those of others are as if they did not exist. */
export interface TenantRows {
  /** @throws {InvalidCursor} */
  list(tenantId: string, query: RowQuery): Promise<Page<TenantRow>>;
  get(tenantId: string, id: string): Promise<TenantRow>;
  /** @throws {ResourceConflict} */
  create(tenantId: string, values: TenantRow, alongside?: Alongside): Promise<TenantRow>;
  /** @throws {StaleVersion} @throws {ResourceConflict} */
  change(
    tenantId: string,
    id: string,
    write: { versions: Versions; values: TenantRow; alongside?: Alongside | undefined },
  ): Promise<TenantRow>;
  /** @throws {StaleVersion} @throws {ResourceConflict} */
  delete(
    tenantId: string,
    id: string,
    write: { versions: Versions; alongside?: Alongside | undefined },
  ): Promise<void>;
}

export interface TenantRowsOptions {
  isolation: TenantIsolation;
  table: string;
  searchable: readonly string[];
  /** The column that says when a row was deleted; `null` where rows are deleted for good. */
  softDelete: string | null;
  cursors: Cursors;
  notFound: () => Error;
  clock: Clock;
  newId: NewId;
}

type Tables = Record<string, Record<string, unknown>>;
type AnyTables = Kysely<Tables>;
type Select = SelectQueryBuilder<Tables, string, Record<string, unknown>>;

const positionColumn = 'svc_position';

export function createTenantRows(options: TenantRowsOptions): TenantRows {
  const { isolation, table, softDelete, notFound, clock, newId } = options;
  const rowsOf = (trx: Trx): AnyTables => trx as unknown as AnyTables;
  const present = (trx: Trx): Select =>
    rowsOf(trx)
      .selectFrom(table)
      .selectAll()
      .$if(softDelete !== null, (query) => query.where(softDelete as string, 'is', null));
  const find = (trx: Trx, id: string) => present(trx).where('id', '=', id).executeTakeFirst();
  const update = (trx: Trx, id: string, versions: Versions, values: TenantRow) =>
    rowsOf(trx)
      .updateTable(table)
      .set((eb) => ({ ...values, updated_at: clock.now(), version: eb('version', '+', 1) }))
      .where('id', '=', id)
      .$if(softDelete !== null, (query) => query.where(softDelete as string, 'is', null))
      .$if(versions !== undefined, (query) => query.where(hasVersion(versions ?? [])))
      .returningAll()
      .executeTakeFirst();
  const remove = (trx: Trx, id: string, versions: Versions) =>
    rowsOf(trx)
      .deleteFrom(table)
      .where('id', '=', id)
      .$if(versions !== undefined, (query) => query.where(hasVersion(versions ?? [])))
      .returningAll()
      .executeTakeFirst();
  /** A write to one row, which says why where there was none to write. */
  const write = (
    tenantId: string,
    id: string,
    alongside: Alongside | undefined,
    work: (trx: Trx) => Promise<TenantRow | undefined>,
  ) =>
    within(isolation, tenantId, async (trx) => {
      if (!isUuid(id)) throw notFound();
      const row = await expectUpdated(await work(trx), { find: () => find(trx, id), notFound });
      await alongside?.(trx, row);
      return row;
    });
  return {
    list: (tenantId, query) => list(options, present, tenantId, query),
    get: (tenantId, id) =>
      isolation.within(
        tenantId,
        async (trx) => {
          const row = isUuid(id) ? await find(trx, id) : undefined;
          if (row === undefined) throw notFound();
          return row;
        },
        { readOnly: true },
      ),
    create: (tenantId, values, alongside) =>
      within(isolation, tenantId, async (trx) => {
        const now = clock.now();
        const row = await rowsOf(trx)
          .insertInto(table)
          .values({ ...values, id: newId(), version: 1, created_at: now, updated_at: now })
          .returningAll()
          .executeTakeFirstOrThrow();
        await alongside?.(trx, row);
        return row;
      }),
    change: (tenantId, id, { versions, values, alongside }) =>
      write(tenantId, id, alongside, (trx) => update(trx, id, versions, values)),
    async delete(tenantId, id, { versions, alongside }) {
      await write(tenantId, id, alongside, (trx) =>
        softDelete === null
          ? remove(trx, id, versions)
          : update(trx, id, versions, { [softDelete]: clock.now() }),
      );
    },
  };
}

function list(
  { isolation, table, searchable, cursors }: TenantRowsOptions,
  present: (trx: Trx) => Select,
  tenantId: string,
  { limit, cursor, contains, order }: RowQuery,
): Promise<Page<TenantRow>> {
  // A cursor is of one list: another order, search or tenant would give it another meaning.
  const name = JSON.stringify([table, tenantId, order.column, order.descending, contains ?? '']);
  const position = cursor === undefined ? undefined : cursors.decode(name, cursor);
  const direction = order.descending ? ('desc' as const) : ('asc' as const);
  return isolation.within(
    tenantId,
    async (trx) => {
      const rows: TenantRow[] = await present(trx)
        // As text, which is exact where a Date is not; and compared as what the column is.
        .select((eb) => eb.cast<string | null>(eb.ref(order.column), 'text').as(positionColumn))
        .$if(contains !== undefined, (query) =>
          query.where((eb) =>
            eb.or(searchable.map((column) => eb(column, 'ilike', pattern(contains ?? '')))),
          ),
        )
        .$if(position !== undefined, (query) =>
          query.where((eb) => after(eb, order, position ?? [])),
        )
        .orderBy(order.column, (by) => (order.descending ? by.desc() : by.asc()).nullsLast())
        .$if(order.column !== 'id', (query) => query.orderBy('id', direction))
        .limit(limit + 1)
        .execute();
      return toPage(rows, limit, (last) =>
        cursors.encode(name, [last[positionColumn] as string | null, last['id'] as string]),
      );
    },
    { readOnly: true },
  );
}

// The backslash is what `like` escapes with unless told otherwise.
const pattern = (contains: string) => `%${contains.replaceAll(/[\\%_]/g, '\\$&')}%`;

async function within<T>(
  isolation: TenantIsolation,
  tenantId: string,
  fn: (trx: Trx) => Promise<T>,
): Promise<T> {
  try {
    return await isolation.within(tenantId, fn);
  } catch (error) {
    const kind = constraintOf(error)?.kind;
    if (kind !== 'unique' && kind !== 'foreign_key') throw error;
    throw new ResourceConflict({}, { cause: error });
  }
}
