import { createHash } from 'node:crypto';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { uuidv7 } from '@svc/core';
import { transact } from '@svc/db';
import { databaseTest, describeDatabases } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import {
  createTenantDeletion,
  exportFolder,
  exportTable,
  exportTenant,
  importFolder,
  importTenant,
  type TenantManifest,
  type TenantManifestTable,
  tenantScoped,
  tenantTables,
  withTenant,
} from '../src/index.ts';
import { sealManifest } from '../src/data/manifest.ts';
import { tenancyMigrations } from '../src/migrations.ts';
import {
  become,
  dataMigrations,
  dataTables,
  type Files,
  filesIn,
  fillTenant,
  rowsOf,
} from './data-tables.ts';
import { codeOf, openTenancy, tally } from './open-tenancy.ts';
import { runProgram } from './programs.ts';

const tables = dataTables;
const migrations = [tenancyMigrations, dataMigrations];

describeDatabases('an export of a tenant', migrations, (test) => {
  test('comes back exactly as another tenant, but for what it leaves out', async ({ db }) => {
    const { tenant, audited } = openTenancy(db);
    const [acme, other, target] = [await tenant(), await tenant('Other'), await tenant('Target')];
    for (const { id } of [acme, other]) await fillTenant(db, id, 50);
    const files = filesIn(new Map());
    const audit = async (event: (typeof audited)[number]) => void audited.push(event);
    const options = { db, tables, audit };
    await exportTenant({ ...options, tenantId: acme.id, sink: files });
    const before = await rowsOf(db, other.id);
    await importTenant({ ...options, source: files, tenantId: target.id, from: acme.id });

    const expected = JSON.stringify(await rowsOf(db, acme.id))
      .replaceAll(acme.id, target.id)
      .replaceAll(/,(\\"hidden too\\"|hidden)\)/g, ',)');
    expect(JSON.parse(JSON.stringify(await rowsOf(db, target.id)))).toEqual(JSON.parse(expected));
    expect(await rowsOf(db, other.id)).toEqual(before);
    expect(audited.slice(-2).map(({ type, tenantId }) => [type, tenantId])).toEqual([
      ['tenancy.tenant.exported', acme.id],
      ['tenancy.tenant.imported', target.id],
    ]);
  });

  test('comes back after the tenant was deleted, with its name and its members', async ({ db }) => {
    const { tenant, tenancy } = openTenancy(db);
    const acme = await tenant('Acme & sons');
    const member = await acme.add('admin');
    await fillTenant(db, acme.id, 5);
    const before = await rowsOf(db, acme.id);
    const files = filesIn(new Map());
    await exportTenant({ db, tables, tenantId: acme.id, sink: files });
    await tenancy.tenants.remove(acme.id, { by: acme.owner.userId });
    expect(await codeOf(importTenant({ db, tables, source: files }))).toBe(
      'tenancy.tenant_not_found',
    );
    const deletion = createTenantDeletion({ tenancy, tables });
    await deletion.run(acme.id);
    await importTenant({ db, tables, source: files });
    const hidden = (rows: readonly string[]) =>
      rows.map((row) => row.replace(/,("hidden too"|hidden)\)/g, ',)'));
    const after = await rowsOf(db, acme.id);
    for (const [name, rows] of Object.entries(before)) expect(after[name]).toEqual(hidden(rows));
    expect(await tenancy.tenants.get(acme.id, { by: member.userId })).toMatchObject({
      name: 'Acme & sons',
      role: 'admin',
    });
    await withTenant(tenantScoped(db, tables), acme.id, async () => {});
    expect(await codeOf(importTenant({ db, tables, source: files }))).toBe('tenancy.not_empty');
  });

  test('is refused when any byte of it was changed, and leaves nothing behind', async ({ db }) => {
    const { tenant } = openTenancy(db);
    const [acme, target] = [await tenant(), await tenant('Target')];
    await fillTenant(db, acme.id);
    const files: Files = new Map();
    await exportTenant({ db, tables, tenantId: acme.id, sink: filesIn(files) });
    const restore = (changed: Files, tenantId = target.id, from = acme.id) =>
      codeOf(importTenant({ db, tables, source: filesIn(changed), tenantId, from }));
    const manifest = JSON.parse(String(files.get('manifest.json'))) as TenantManifest;
    const sealed = (change: (tables: TenantManifestTable[]) => void) => {
      const { sha256: _, ...rest } = structuredClone(manifest);
      change(rest.tables);
      return new Map(files).set('manifest.json', Buffer.from(JSON.stringify(sealManifest(rest))));
    };
    const first = manifest.tables.find(({ name }) => name === 'app.a_files') as TenantManifestTable;
    const otherwise = (more: Partial<TenantManifestTable>) =>
      sealed(
        (all) =>
          void (all[all.findIndex(({ name }) => name === first.name)] = { ...first, ...more }),
      );
    const file = files.get('app.a_files.ndjson') as Buffer;
    const damages: Record<string, Files> = {
      'a changed byte': new Map(files).set(
        'app.a_files.ndjson',
        Buffer.from(file.toString().replace('blue', 'blux')),
      ),
      'a missing end': new Map(files).set('app.a_files.ndjson', file.subarray(0, -1)),
      'a line too many': new Map(files).set('app.a_files.ndjson', Buffer.concat([file, file])),
      'a missing file': new Map([...files].filter(([name]) => name !== 'app.hens.ndjson')),
      'no manifest': new Map([...files].filter(([name]) => name !== 'manifest.json')),
      'no JSON': new Map(files).set('manifest.json', Buffer.from('{')),
      'another format': new Map(files).set('manifest.json', Buffer.from('{"format":"tar"}')),
      'a changed manifest': new Map(files).set(
        'manifest.json',
        Buffer.from(String(files.get('manifest.json')).replace('"rows": 3', '"rows": 4')),
      ),
      'another count': otherwise({ rows: 99 }),
      'a table that is not here': sealed(
        (all) => void all.push({ ...first, name: 'app.other', file: 'app.other.ndjson' }),
      ),
      'a table that is missing': sealed((all) => void all.pop()),
      'a column that is not here': otherwise({
        columns: [...first.columns, { name: 'x', type: 'text' }],
      }),
      'a column of another type': otherwise({
        columns: first.columns.map((each) => ({ ...each, type: 'text' })),
      }),
      'a file elsewhere': otherwise({ file: '../x.y.ndjson' }),
    };
    for (const [what, damage] of Object.entries(damages))
      expect([what, await restore(damage)]).toEqual([what, 'tenancy.invalid_export']);
    expect(await restore(files, target.id, target.id)).toBe('tenancy.invalid_export');
    for (const rows of Object.values(await rowsOf(db, target.id))) expect(rows).toEqual([]);
    expect(await restore(files)).toBe('no failure');
  });

  test('a file that changes between the check and the writing is noticed before the commit', async ({
    db,
  }) => {
    const { tenant } = openTenancy(db);
    const [acme, target] = [await tenant(), await tenant('Target')];
    await fillTenant(db, acme.id);
    const files: Files = new Map();
    await exportTenant({ db, tables, tenantId: acme.id, sink: filesIn(files) });
    const good = filesIn(files);
    const bad = filesIn(
      new Map(
        [...files].map(([n, b]) => [n, Buffer.from(String(b).replace('"a body"', '"a BODY"'))]),
      ),
    );
    const reads = new Map<string, number>();
    const source = {
      read(file: string) {
        reads.set(file, (reads.get(file) ?? 0) + 1);
        return ((reads.get(file) ?? 0) > 1 ? bad : good).read(file);
      },
    };
    const imported = importTenant({ db, tables, source, tenantId: target.id, from: acme.id });
    expect(await codeOf(imported)).toBe('tenancy.invalid_export');
    for (const rows of Object.values(await rowsOf(db, target.id))) expect(rows).toEqual([]);
  });

  test('cannot write rows of another tenant, whatever its lines say', async ({ db }) => {
    const { tenant } = openTenancy(db);
    const [acme, other, target] = [await tenant(), await tenant('Other'), await tenant('Target')];
    await fillTenant(db, acme.id);
    const files: Files = new Map();
    await exportTenant({ db, tables, tenantId: acme.id, sink: filesIn(files) });
    const { sha256: _, ...manifest } = JSON.parse(
      String(files.get('manifest.json')),
    ) as TenantManifest;
    for (const table of manifest.tables) {
      const forged = Buffer.from(String(files.get(table.file)).replaceAll(acme.id, other.id));
      files.set(table.file, forged);
      table.sha256 = createHash('sha256').update(forged).digest('hex');
    }
    files.set('manifest.json', Buffer.from(JSON.stringify(sealManifest(manifest))));
    const source = filesIn(files);
    await importTenant({ db, tables, source, tenantId: target.id, from: acme.id });
    for (const rows of Object.values(await rowsOf(db, other.id))) expect(rows).toEqual([]);
    for (const rows of Object.values(await rowsOf(db, target.id))) expect(rows).not.toEqual([]);
  });

  test('goes into a folder of its own, for nobody else to read', async ({ db }) => {
    const { tenant } = openTenancy(db);
    const [acme, target] = [await tenant(), await tenant('Target')];
    await fillTenant(db, acme.id);
    const base = await mkdtemp(join(tmpdir(), 'svc-export-'));
    try {
      const folder = join(base, 'acme');
      await exportTenant({ db, tables, tenantId: acme.id, sink: exportFolder(folder) });
      expect((await readdir(folder)).toSorted()).toEqual([
        'app.a_files.ndjson',
        'app.deliveries.ndjson',
        'app.eggs.ndjson',
        'app.folders.ndjson',
        'app.hens.ndjson',
        'manifest.json',
        'svc_tenancy.memberships.ndjson',
        'svc_tenancy.tenants.ndjson',
        'svc_tenancy.usage.ndjson',
      ]);
      expect((await stat(join(folder, 'manifest.json'))).mode & 0o777).toBe(0o600);
      expect((await stat(folder)).mode & 0o777).toBe(0o700);
      const again = exportTenant({ db, tables, tenantId: acme.id, sink: exportFolder(folder) });
      await expect(again).rejects.toThrow('a new or an empty folder');
      const source = importFolder(folder);
      await importTenant({ db, tables, source, tenantId: target.id, from: acme.id });
      expect((await rowsOf(db, target.id))['app.a_files']).toHaveLength(3);
    } finally {
      await rm(base, { recursive: true });
    }
  });

  test('of a tenant that is not there, or in a list that is wrong, is refused', async ({ db }) => {
    const sink = filesIn(new Map());
    expect(await codeOf(exportTenant({ db, tables, tenantId: uuidv7(), sink }))).toBe(
      'tenancy.tenant_not_found',
    );
    const wrong = tenantTables(['app.gone']);
    await expect(exportTenant({ db, tables: wrong, tenantId: uuidv7(), sink })).rejects.toThrow(
      'no table app.gone',
    );
    await expect(exportTenant({ db, tables, tenantId: 'x', sink })).rejects.toThrow(TypeError);
    const lazy = { write: async () => {} };
    const { tenant } = openTenancy(db);
    const acme = await tenant();
    await expect(exportTenant({ db, tables, tenantId: acme.id, sink: lazy })).rejects.toThrow(
      'did not take all',
    );
  });

  test('of one table ends where it is told to, and leaves out what the list does', async ({
    db,
  }) => {
    const { tenant } = openTenancy(db);
    const [acme, other] = [await tenant(), await tenant('Other')];
    await fillTenant(db, acme.id, 100);
    await fillTenant(db, other.id);
    const read = async (table: string, more: object = {}) => {
      let text = '';
      const options = { db, table, tenantId: acme.id, tables, ...more };
      await exportTable({ ...options, write: (lines) => (text += lines) });
      return text === ''
        ? []
        : text
            .trimEnd()
            .split('\n')
            .map((line) => JSON.parse(line) as object);
    };
    expect(await read('app.a_files', { limit: 40 })).toHaveLength(40);
    expect(await read('app.a_files')).toHaveLength(103);
    expect(await read('app.folders')).toEqual([
      { tenant_id: acme.id, id: expect.any(String), parent_id: expect.any(String), name: 'child' },
      { tenant_id: acme.id, id: expect.any(String), parent_id: null, name: 'parent' },
    ]);
    expect(await read('app.ledger', { tables: undefined })).toHaveLength(1);
    expect(await read('app.ledger', { tables: undefined, tenantColumn: 'id' })).toEqual([]);
    await expect(read('svc_tenancy.invitations')).rejects.toThrow('is not exported');
    await expect(read('app.folders', { tenantColumn: 'org_id' })).rejects.toThrow(
      'the column org_id',
    );
    await expect(read('app.folders; drop')).rejects.toThrow(TypeError);
  });
});

const test = databaseTest(migrations);

test('an export shows one moment, whatever is written meanwhile', async ({ db }) => {
  const { tenant } = openTenancy(db);
  const acme = await tenant();
  await fillTenant(db, acme.id, 10);
  const files: Files = new Map();
  const sink = filesIn(files);
  const manifest = await exportTenant({
    db,
    tables,
    tenantId: acme.id,
    sink: {
      async write(file, chunks) {
        // Another table of the export, while this one is read.
        await transact(db, async (trx) => {
          await become(trx, acme.id);
          await sql`insert into app.a_files (tenant_id, id) values (${acme.id}, ${uuidv7()})`.execute(
            trx,
          );
          await sql`insert into app.deliveries values (${acme.id}, ${uuidv7()})`.execute(trx);
        });
        await sink.write(file, chunks);
      },
    },
  });
  expect(manifest.tables.find(({ name }) => name === 'app.a_files')?.rows).toBe(13);
  expect(manifest.tables.find(({ name }) => name === 'app.deliveries')?.rows).toBe(1);
});

test('of many imports at once into one tenant, one is done', async ({ db }) => {
  const { tenant } = openTenancy(db);
  const [acme, target] = [await tenant(), await tenant('Target')];
  await fillTenant(db, acme.id, 10);
  const source = filesIn(new Map());
  await exportTenant({ db, tables, tenantId: acme.id, sink: source });
  // One that is there, and one that the import makes.
  for (const tenantId of [target.id, uuidv7()]) {
    const imports = Array.from({ length: 50 }, () =>
      importTenant({ db, tables, source, tenantId, from: acme.id }),
    );
    expect(await tally(imports)).toEqual({ fulfilled: 1, codes: ['tenancy.not_empty'] });
    expect((await rowsOf(db, tenantId))['app.a_files']).toHaveLength(13);
  }
});

const node = {
  runtime: 'Node',
  command: process.execPath,
  flags: ['--max-old-space-size=64', '--max-semi-space-size=2'],
};
const bun = { runtime: 'Bun', command: 'bun', flags: [] };
const runtimes = process.version.startsWith('v22.') ? [node] : [node, bun];

test.for(runtimes)(
  'many rows pass through little memory on $runtime',
  { timeout: 120_000 },
  async ({ command, flags }, { db, database }) => {
    const { tenant } = openTenancy(db);
    const [acme, target] = [await tenant(), await tenant('Target')];
    await fillTenant(db, acme.id, 15_000, 600);
    const base = await mkdtemp(join(tmpdir(), 'svc-export-'));
    try {
      const url = database.urls?.url as string;
      const args = [url, join(base, 'acme'), acme.id, target.id];
      const program = runProgram(command, 'export-and-import', args, flags);
      const told = await program.next<{ bytes: number; exportMb: number; importMb: number }>();
      expect(await program.ended).toMatchObject({ code: 0 });
      expect(told.bytes).toBeGreaterThan(200_000_000);
      // Beyond what it had before the first row.
      expect(told.exportMb).toBeLessThan(150);
      expect(told.importMb).toBeLessThan(150);
    } finally {
      await rm(base, { recursive: true });
    }
  },
);
