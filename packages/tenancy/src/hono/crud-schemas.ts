import * as v from 'valibot';
import { toColumn } from '../rows/names.ts';
import type { TenantRow } from '../rows/tenant-rows.ts';

/** A valibot object: strict or plain. */
export type AnyObjectSchema =
  | v.StrictObjectSchema<v.ObjectEntries, undefined>
  | v.ObjectSchema<v.ObjectEntries, undefined>;

export const ResourceParam = v.strictObject({ id: v.pipe(v.string(), v.uuid()) });

const version = v.optional(
  v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2_147_483_647)),
);

/** The schema of a change, and the version that is meant. */
export const changeOf = <Schema extends AnyObjectSchema>(
  schema: Schema,
): v.GenericSchema<
  v.InferInput<Schema> & ExpectedVersion,
  v.InferOutput<Schema> & ExpectedVersion
> => v.strictObject({ ...schema.entries, version }) as never;

/** By which version a client says which state it means to change. */
export interface ExpectedVersion {
  version?: number | undefined;
}

export const pageOf = <Schema extends AnyObjectSchema>(schema: Schema) =>
  v.object({ items: v.array(schema), nextCursor: v.nullable(v.string()) });

/** What a client may ask a list of `tenantCrud`. */
export interface TenantCrudQuery {
  limit?: string | undefined;
  cursor?: string | undefined;
  q?: string | undefined;
  order?: string | undefined;
}

interface ListOutput extends Omit<TenantCrudQuery, 'limit'> {
  limit: number;
}

/** What a list may be asked; `q` and `order` only where something is declared for them. */
export function listQuery({
  searches,
  sortable,
}: {
  searches: boolean;
  sortable: readonly string[];
}): v.GenericSchema<TenantCrudQuery, ListOutput> {
  const orders = sortable.flatMap((key) => [key, `-${key}`]);
  const refused = v.optional(v.never());
  return v.strictObject({
    limit: v.optional(
      v.pipe(v.string(), v.regex(/^\d{1,3}$/), v.transform(Number), v.minValue(1), v.maxValue(100)),
      '50',
    ),
    cursor: v.optional(v.pipe(v.string(), v.maxLength(2000))),
    q: searches ? v.optional(v.pipe(v.string(), v.minLength(1), v.maxLength(200))) : refused,
    order: orders.length > 0 ? v.optional(v.picklist(orders)) : refused,
  });
}

/** A row as the schema has it, and no column more. */
export function toBody<Schema extends AnyObjectSchema>(
  schema: Schema,
  row: TenantRow,
): v.InferOutput<Schema> {
  const keys = Object.keys(schema.entries);
  return Object.fromEntries(
    keys.map((key) => [key, toJson(row[toColumn(key)])]),
  ) as v.InferOutput<Schema>;
}

function toJson(value: unknown): unknown {
  if (value instanceof Date) return value.toISOString();
  // Beyond what a number holds exactly.
  return typeof value === 'bigint' ? String(value) : (value ?? null);
}
