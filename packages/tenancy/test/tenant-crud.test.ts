import { createCursors, failure, uuidv7 } from '@svc/core';
import type { Migrations } from '@svc/db';
import { describeDatabases, type TestDatabase } from '@svc/db/testing';
import { type HttpEnv, openapiDocument, stack } from '@svc/http/hono';
import { Hono } from 'hono';
import { sql } from 'kysely';
import * as v from 'valibot';
import { expect } from 'vitest';
import { requireTenant, tenantCrud } from '../src/hono/index.ts';
import { isolateByTenant, sharedTables, tenantTables } from '../src/index.ts';
import { tenancyMigrations } from '../src/migrations.ts';
import { openTenancy } from './open-tenancy.ts';

const migrations: Migrations = {
  schema: 'app',
  steps: [
    {
      name: '0001_notes',
      up: [
        `create table app.notes (
          tenant_id uuid not null, id uuid not null, title text not null, due_at timestamptz, size bigint,
          author_id uuid not null, version integer not null, created_at timestamptz not null,
          updated_at timestamptz not null, deleted_at timestamptz,
          primary key (tenant_id, id), unique (tenant_id, title)
        )`,
        ...isolateByTenant('app.notes').up,
      ],
      down: [`drop table app.notes`],
    },
  ],
};

class NoteNotFound extends failure('notes.not_found', 'not_found', 'There is no such note.') {}

const Title = v.pipe(v.string(), v.minLength(1), v.maxLength(100));
const When = v.nullable(v.pipe(v.string(), v.isoTimestamp()));
const schemas = {
  create: v.strictObject({ title: Title, dueAt: v.optional(When), size: v.optional(v.number()) }),
  change: v.strictObject({ title: v.optional(Title), dueAt: v.optional(When) }),
  body: v.object({
    id: v.string(),
    title: v.string(),
    dueAt: When,
    size: v.nullable(v.string()),
    version: v.number(),
    createdAt: v.string(),
  }),
};

interface Note {
  id: string;
  title: string;
  version: number;
  dueAt: string | null;
}

/** Notes of two tenants, of which a caller says who they are. */
async function openNotes({ db, asOwner }: TestDatabase, options: { softDelete?: string } = {}) {
  await asOwner((trx) => sql`truncate app.notes`.execute(trx));
  const opened = openTenancy(db);
  const { tenancy, tenant, clock } = opened;
  const told: unknown[] = [];
  const app = new Hono<HttpEnv>();
  stack(app, { clock, typeBase: 'https://app.example.com/errors' });
  const principal = (c: { req: { header(name: string): string | undefined } }) => ({
    userId: c.req.header('x-user') ?? '',
  });
  app.use('/notes/*', requireTenant(tenancy, { principal }));
  app.route(
    '/notes',
    tenantCrud(tenancy, {
      isolation: sharedTables({ db, tables: tenantTables(['app.notes']) }),
      table: 'app.notes',
      names: { many: 'notes', one: 'note' },
      schemas,
      columns: { searchable: ['title'], sortable: ['title', 'dueAt', 'createdAt'] },
      permissions: { delete: 'admin' },
      createdWith: (c) => ({ author_id: principal(c).userId }),
      alongside: {
        async create(trx, row) {
          if (row['title'] === 'forbidden') throw new NoteNotFound();
          told.push([trx.isTransaction, row['title']]);
        },
      },
      notFound: NoteNotFound,
      cursors: createCursors({ secret: 'made for tests only' }),
      clock,
      ...options,
    }),
  );
  const of = (id: string, userId: string) => {
    const ask = (method: string, path: string, body?: unknown, headers = {}) =>
      app.request(`/notes${path}`, {
        method,
        headers: {
          'x-user': userId,
          'x-tenant-id': id,
          'x-request-id': 'the-same-request',
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...headers,
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
      });
    const create = async (body: unknown) => (await (await ask('POST', '', body)).json()) as Note;
    const list = async (query = '') =>
      (await (await ask('GET', query)).json()) as { items: Note[]; nextCursor: string | null };
    return { id, ask, create, list };
  };
  const [acme, other] = [await tenant(), await tenant()];
  return {
    ...opened,
    app,
    told,
    acme: { ...acme, ...of(acme.id, acme.owner.userId) },
    other: of(other.id, other.owner.userId),
    of,
  };
}

describeDatabases('the rows of a tenant over HTTP', [tenancyMigrations, migrations], (test) => {
  test('are created, read, changed and deleted', async ({ database }) => {
    const { acme, told } = await openNotes(database);
    const created = await acme.ask('POST', '', { title: 'One', size: 3 });
    const note = (await created.json()) as Note;
    expect([created.status, created.headers.get('location'), created.headers.get('etag')]).toEqual([
      201,
      `/notes/${note.id}`,
      '"1"',
    ]);
    expect(note).toEqual({
      id: expect.any(String),
      title: 'One',
      dueAt: null,
      size: '3',
      version: 1,
      createdAt: '2026-01-01T00:00:00.000Z',
    });
    expect(told).toEqual([[true, 'One']]);
    expect(await (await acme.ask('GET', `/${note.id}`)).json()).toEqual(note);
    const changed = await acme.ask('PATCH', `/${note.id}`, { title: 'Two' }, { 'if-match': '"1"' });
    expect([changed.status, changed.headers.get('etag')]).toEqual([200, '"2"']);
    expect(await changed.json()).toMatchObject({ title: 'Two', version: 2, size: '3' });
    expect((await acme.ask('DELETE', `/${note.id}`)).status).toBe(204);
    expect((await acme.ask('GET', `/${note.id}`)).status).toBe(404);
    expect((await acme.ask('DELETE', `/${note.id}`)).status).toBe(404);
  });

  test('get their tenant from the identity, and never from the body', async ({ database }) => {
    const { acme, other } = await openNotes(database);
    for (const key of ['tenantId', 'tenant_id', 'id', 'version', 'authorId', 'createdAt']) {
      const answer = await acme.ask('POST', '', { title: 'Mine', [key]: other.id });
      expect([key, answer.status]).toEqual([key, 400]);
    }
    const note = await acme.create({ title: 'Mine' });
    for (const key of ['tenantId', 'tenant_id', 'id']) {
      const answer = await acme.ask('PATCH', `/${note.id}`, { [key]: other.id, version: 1 });
      expect([key, answer.status]).toEqual([key, 400]);
    }
    expect((await acme.list()).items).toHaveLength(1);
    expect((await other.list()).items).toEqual([]);
  });

  test('of another tenant answer as rows that do not exist, and stay as they are', async ({
    database,
  }) => {
    const { acme, other } = await openNotes(database);
    const foreign = await other.create({ title: 'Theirs' });
    const answers = async (id: string) => {
      const all = await Promise.all([
        acme.ask('GET', `/${id}`),
        acme.ask('PATCH', `/${id}`, { title: 'Mine', version: 1 }),
        acme.ask('PATCH', `/${id}`, { title: 'Mine' }, { 'if-match': '"1"' }),
        acme.ask('PATCH', `/${id}`, { title: 'Mine' }, { 'if-match': '*' }),
        acme.ask('DELETE', `/${id}`),
        acme.ask('DELETE', `/${id}`, undefined, { 'if-match': '"1"' }),
      ]);
      return Promise.all(
        all.map(async (each) => [each.status, [...each.headers], await each.json()]),
      );
    };
    const missing = await answers(uuidv7());
    expect(missing.map(([status]) => status)).toEqual([404, 404, 404, 404, 404, 404]);
    expect(JSON.stringify(missing)).toContain('notes.not_found');
    expect(await answers(foreign.id)).toEqual(missing);
    expect(await (await other.ask('GET', `/${foreign.id}`)).json()).toEqual(foreign);
    expect((await acme.create({ title: 'Theirs' })).title).toBe('Theirs');
  });

  test('are listed page by page in any declared order, each once', async ({ database }) => {
    const { acme, other, clock } = await openNotes(database);
    await other.create({ title: 'Theirs' });
    const dues = [
      '2026-03-01T00:00:00Z',
      null,
      '2026-03-01T00:00:00Z',
      null,
      '2026-02-01T00:00:00Z',
    ];
    for (const [index, dueAt] of dues.entries()) {
      await acme.create({ title: `note ${'cabed'[index]}`, dueAt });
      await clock.advance('1s');
    }
    const walk = async (order: string) => {
      const found: Note[] = [];
      let cursor = '';
      do {
        const page = await acme.list(`?limit=2${order}${cursor}`);
        found.push(...page.items);
        cursor = page.nextCursor === null ? '' : `&cursor=${encodeURIComponent(page.nextCursor)}`;
      } while (cursor !== '');
      return found.map(({ title }) => title.at(-1)).join('');
    };
    expect(await walk('')).toBe('debac');
    expect(await walk('&order=title')).toBe('abcde');
    expect(await walk('&order=-title')).toBe('edcba');
    expect(await walk('&order=createdAt')).toBe('cabed');
    // Nulls last either way; of equals the order is that of the ids.
    expect(await walk('&order=dueAt')).toBe('dcbae');
    expect(await walk('&order=-dueAt')).toBe('bcdea');
  });

  test('are paged to the microsecond, though a Date knows milliseconds', async ({ database }) => {
    const { acme } = await openNotes(database);
    for (const title of ['a', 'b', 'c']) await acme.create({ title });
    await database.asOwner(async (trx) => {
      await sql`select set_config('app.tenant_id', ${acme.id}, true)`.execute(trx);
      for (const [index, title] of ['a', 'b', 'c'].entries())
        await sql`update app.notes set due_at = ${`2026-01-01T00:00:00.00000${index + 1}Z`} where title = ${title}`.execute(
          trx,
        );
    });
    const first = await acme.list('?limit=2&order=-dueAt');
    const cursor = encodeURIComponent(first.nextCursor ?? '');
    const second = await acme.list(`?limit=2&order=-dueAt&cursor=${cursor}`);
    expect([...first.items, ...second.items].map(({ title }) => title)).toEqual(['c', 'b', 'a']);
  });

  test('are searched by declared columns, in which signs stand for themselves', async ({
    database,
  }) => {
    const { acme, other } = await openNotes(database);
    await other.create({ title: 'Theirs: 100 %' });
    for (const title of ['Hello World', '100 %', 'a_b', 'back\\slash', '1000'])
      await acme.create({ title });
    const search = async (q: string) =>
      (await acme.list(`?q=${encodeURIComponent(q)}`)).items.map(({ title }) => title);
    expect(await search('WORLD')).toEqual(['Hello World']);
    expect(await search('100 %')).toEqual(['100 %']);
    expect(await search('%')).toEqual(['100 %']);
    expect(await search('_')).toEqual(['a_b']);
    expect(await search('\\')).toEqual(['back\\slash']);
    expect(await search("' or 1=1 --")).toEqual([]);
  });

  test('are ordered by nothing but what is declared, and a cursor is of one list of one tenant', async ({
    database,
  }) => {
    const { acme, other } = await openNotes(database);
    for (const tenant of [acme, other])
      for (const title of ['a', 'b', 'c']) await tenant.create({ title });
    for (const query of ['?order=authorId', '?order=id;drop', '?limit=0', '?limit=101', '?x=1'])
      expect((await acme.ask('GET', query)).status).toBe(400);
    const { nextCursor } = await acme.list('?limit=1&order=title');
    const cursor = encodeURIComponent(nextCursor ?? '');
    const ask = async (who: typeof other, query: string) => {
      const answer = await who.ask('GET', `?limit=1&cursor=${cursor}${query}`);
      return ((await answer.json()) as { code?: string }).code;
    };
    expect(await ask(acme, '&order=title')).toBeUndefined();
    expect(await ask(acme, '&order=-title')).toBe('core.invalid_cursor');
    expect(await ask(acme, '&order=title&q=b')).toBe('core.invalid_cursor');
    expect(await ask(other, '&order=title')).toBe('core.invalid_cursor');
  });

  test('are changed by who says which version they mean, and read it last', async ({
    database,
  }) => {
    const { acme } = await openNotes(database);
    const { id } = await acme.create({ title: 'One' });
    const change = async (body: object, headers = {}) => {
      const answer = await acme.ask('PATCH', `/${id}`, body, headers);
      return [answer.status, ((await answer.json()) as { code?: string }).code];
    };
    expect(await change({ title: 'x' })).toEqual([428, 'http.precondition_required']);
    expect(await change({ title: 'x', version: 2 })).toEqual([409, 'db.stale_version']);
    expect(await change({ title: 'x' }, { 'if-match': '"2"' })).toEqual([
      412,
      'http.precondition_failed',
    ]);
    expect(await change({ title: 'x', version: 1 })).toEqual([200, undefined]);
    const stale = await acme.ask('DELETE', `/${id}`, undefined, { 'if-match': '"1"' });
    expect(stale.status).toBe(412);
    const fresh = await acme.ask('DELETE', `/${id}`, undefined, { 'if-match': '"2"' });
    expect(fresh.status).toBe(204);
  });

  test('are kept where deletion is soft, and exist for nobody', async ({ database }) => {
    const { acme } = await openNotes(database, { softDelete: 'deleted_at' });
    const { id } = await acme.create({ title: 'One' });
    expect((await acme.ask('DELETE', `/${id}`)).status).toBe(204);
    expect((await acme.list()).items).toEqual([]);
    for (const [method, body] of [
      ['GET', undefined],
      ['PATCH', { title: 'x', version: 2 }],
      ['DELETE', undefined],
    ] as const)
      expect((await acme.ask(method, `/${id}`, body)).status).toBe(404);
    const { rows } = await database.asOwner(async (trx) => {
      await sql`select set_config('app.tenant_id', ${acme.id}, true)`.execute(trx);
      return sql<{ deleted: boolean }>`
        select deleted_at is not null as deleted from app.notes where id = ${id}`.execute(trx);
    });
    expect(rows).toEqual([{ deleted: true }]);
  });

  test('ask for the declared roles', async ({ database }) => {
    const { acme, of } = await openNotes(database);
    const member = of(acme.id, (await acme.add('member')).userId);
    const { id } = await member.create({ title: 'One' });
    const refused = await member.ask('DELETE', `/${id}`);
    expect([refused.status, await refused.json()]).toEqual([
      403,
      expect.objectContaining({ code: 'tenancy.role_required' }),
    ]);
    expect((await acme.ask('DELETE', `/${id}`)).status).toBe(204);
  });

  test('that clash with another of their tenant are a conflict, without a word of it', async ({
    database,
  }) => {
    const { acme } = await openNotes(database);
    await acme.create({ title: 'Taken' });
    const answer = await acme.ask('POST', '', { title: 'Taken' });
    const body = await answer.text();
    expect([answer.status, body.includes('tenancy.resource_conflict')]).toEqual([409, true]);
    expect(body).not.toContain('Taken');
  });

  test('are taken back when what the app does alongside fails', async ({ database }) => {
    const { acme } = await openNotes(database);
    expect((await acme.ask('POST', '', { title: 'forbidden' })).status).toBe(404);
    expect((await acme.list()).items).toEqual([]);
  });

  test('are described in the OpenAPI document', async ({ database }) => {
    const { app } = await openNotes(database);
    const document = await openapiDocument(app, { info: { title: 'Notes', version: '1' } });
    expect(
      Object.entries(document.paths ?? {}).map(([path, methods]) => [
        path,
        Object.keys(methods as object).toSorted(),
      ]),
    ).toEqual(
      expect.arrayContaining([
        ['/notes', ['get', 'post']],
        ['/notes/{id}', ['delete', 'get', 'patch']],
      ]),
    );
  });

  test('cannot be declared so that a client sets what it must not', async ({ database }) => {
    const { tenancy } = openTenancy(database.db);
    const declare = (changed: object) =>
      tenantCrud(tenancy, {
        isolation: sharedTables({ db: database.db, tables: tenantTables(['app.notes']) }),
        table: 'app.notes',
        names: { many: 'notes', one: 'note' },
        schemas: { ...schemas, ...changed },
        cursors: createCursors({ secret: 'made for tests only' }),
      });
    expect(() => declare({})).not.toThrow();
    for (const create of [
      v.strictObject({ tenantId: v.string() }),
      v.strictObject({ tenant_id: v.string() }),
      v.strictObject({ id: v.string() }),
      v.strictObject({ version: v.number() }),
      v.object({ title: v.string() }),
    ]) {
      expect(() => declare({ create })).toThrow(TypeError);
      expect(() => declare({ change: create })).toThrow(TypeError);
    }
  });
});
