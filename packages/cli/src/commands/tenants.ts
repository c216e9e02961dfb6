import { createWriteStream } from 'node:fs';
import { resolve } from 'node:path';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import type { Connection } from '@svc/db';
import type { AppendAudit, DataProgress, TenantTables } from '@svc/tenancy';
import type {
  Command,
  CommandContext,
  CommandGroup,
  CommandResult,
  FlagValues,
} from '../command.ts';
import { withoutApp } from '../config.ts';
import { loadOptional } from '../load-optional.ts';
import { passwordsIn } from '../passwords-in.ts';
import { UsageError } from '../usage-error.ts';
import { lint } from './tenants-lint.ts';

const databaseUrl = { value: 'URL', description: 'the database (default: the one of the config)' };

const exportCommand: Command = {
  summary: 'Export a tenant as JSON lines: one table of it, or all to a folder.',
  argument: '[TABLE]',
  needsConfig: 'when_there',
  flags: {
    'tenant-id': { value: 'ID', description: 'whose rows' },
    'tenant-field': {
      value: 'COLUMN',
      description:
        'the column of TABLE that holds the tenant (default: what the config says, else tenant_id)',
    },
    limit: { value: 'N', description: 'at most so many rows of TABLE' },
    output: {
      value: 'PATH',
      description: 'a new file for TABLE (default: the standard output), a new folder for all',
    },
    'database-url': databaseUrl,
  },
  async run(context) {
    const tenantId = demand(context.flags, 'tenant-id', 'whose rows? --tenant-id ID');
    return context.argument === undefined
      ? exportAll(context, tenantId)
      : exportOne(context, context.argument, tenantId);
  },
};

const importCommand: Command = {
  summary: 'Import a folder that svc tenants export has made into an empty tenant.',
  argument: 'FOLDER',
  flags: {
    'tenant-id': {
      value: 'ID',
      description: 'into which tenant (default: the one that was exported)',
    },
    from: { value: 'ID', description: 'the tenant that was exported, where it is another' },
    'database-url': databaseUrl,
  },
  async run(context) {
    const { argument, flags, cwd } = context;
    if (argument === undefined) throw new UsageError('which folder? svc tenants import FOLDER');
    const { importFolder, importTenant } = await loadTenancy();
    const { tables, audit } = demandTenants(context);
    const manifest = await withDatabase(context, ({ db }) =>
      importTenant({
        db,
        tables,
        source: importFolder(resolve(cwd, argument)),
        tenantId: text(flags, 'tenant-id'),
        from: text(flags, 'from'),
        audit: audit?.(db),
        onProgress: progressOf(context, 'imported'),
      }),
    );
    const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
    return {
      text: `imported ${rows} rows of ${manifest.tables.length} tables`,
      json: { tenantId: text(flags, 'tenant-id') ?? manifest.tenantId, rows },
    };
  },
};

/** `svc tenants …` */
export const tenantsCommands: CommandGroup = {
  summary: 'The tenants of the app.',
  commands: { lint, export: exportCommand, import: importCommand },
};

async function exportAll(context: CommandContext, tenantId: string): Promise<CommandResult> {
  const { flags, cwd } = context;
  for (const flag of ['tenant-field', 'limit'])
    if (flags[flag] !== undefined) throw new UsageError(`--${flag} is for one TABLE`);
  const output = demand(flags, 'output', 'where to? --output FOLDER');
  const { exportFolder, exportTenant } = await loadTenancy();
  const { tables, audit } = demandTenants(context);
  const manifest = await withDatabase(context, ({ db }) =>
    exportTenant({
      db,
      tables,
      tenantId,
      sink: exportFolder(resolve(cwd, output)),
      audit: audit?.(db),
      onProgress: progressOf(context, 'exported'),
    }),
  );
  return {
    text: manifest.tables.map(({ name, rows }) => `exported ${name}: ${rows} rows`).join('\n'),
    json: { manifest },
  };
}

async function exportOne(
  context: CommandContext,
  table: string,
  tenantId: string,
): Promise<CommandResult> {
  const { flags, cwd, config } = context;
  const output = text(flags, 'output');
  const limit = parseLimit(flags['limit']);
  if (output === undefined && flags['json'] === true)
    throw new UsageError(
      '--json and the rows cannot both be on the standard output: --output FILE',
    );
  const { exportTable } = await loadTenancy();
  const tables = config.tenants?.tables as TenantTables | undefined;
  const audit = auditOf(context);
  const rows = await withDatabase(context, async ({ db }) => {
    const target = output === undefined ? undefined : await openFile(resolve(cwd, output));
    const count = await exportTable({
      db,
      table,
      tenantId,
      tables,
      tenantColumn: text(flags, 'tenant-field'),
      limit,
      audit: audit?.(db),
      write: target?.write ?? context.writeData,
      onProgress: progressOf(context, 'exported'),
    });
    await target?.end();
    return count;
  });
  const json = { table, rows };
  return output === undefined ? { json } : { text: `exported ${table}: ${rows} rows`, json };
}

const loadTenancy = () => loadOptional('@svc/tenancy', () => import('@svc/tenancy'));

const auditOf = ({ config }: CommandContext) =>
  config.tenants?.audit as ((db: Connection['db']) => AppendAudit) | undefined;

function demandTenants(context: CommandContext) {
  const { config } = context;
  const { tables } = config.tenants ?? {};
  if (tables === undefined)
    throw new UsageError('the config has no tenants.tables, which says what belongs to one');
  return {
    tables: tables as TenantTables,
    audit: auditOf(context),
  };
}

// As the app, whose role row-level security holds for; PGlite has to be told to be it.
async function withDatabase<T>(
  { config, environment, flags, keepSecret }: CommandContext,
  work: (connection: Connection) => Promise<T>,
): Promise<T> {
  const given = text(flags, 'database-url');
  if (given === undefined && config === withoutApp)
    throw new UsageError('which database? --database-url URL, or a svc.config.ts');
  const target =
    given === undefined
      ? await config.database(await config.settings?.(environment))
      : { url: given, appRole: undefined };
  passwordsIn(target.url).forEach(keepSecret);
  const { connect } = await import('@svc/db');
  const isPglite = target.url.startsWith('pglite:');
  const role = isPglite && target.appRole !== undefined ? { role: target.appRole } : {};
  const connection = await connect(target.url, { poolSize: 2, ...role });
  try {
    return await work(connection);
  } finally {
    await connection.close();
  }
}

/** Tells of each table once it is done, and of a long one now and then. */
function progressOf({ tell }: CommandContext, verb: string): (progress: DataProgress) => void {
  const often = 50_000;
  const told = new Map<string, number>();
  return ({ table, rows }) => {
    if (rows - (told.get(table) ?? 0) < often) return;
    told.set(table, rows);
    tell(`${verb} ${table}: ${rows} rows so far`);
  };
}

async function openFile(path: string) {
  const stream = createWriteStream(path, { flags: 'wx', mode: 0o600 });
  await once(stream, 'open').catch((error: unknown) => {
    const isThere = (error as { code?: unknown } | null)?.code === 'EEXIST';
    throw new UsageError(isThere ? `${path} is there already` : `${path} cannot be written`);
  });
  return {
    write: async (lines: string) => {
      if (!stream.write(lines)) await once(stream, 'drain');
    },
    end: () => {
      stream.end();
      return finished(stream);
    },
  };
}

function parseLimit(value: string | boolean | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (typeof value !== 'string' || !/^[1-9]\d{0,14}$/.test(value))
    throw new UsageError('--limit takes a whole number from 1');
  return Number(value);
}

function demand(flags: FlagValues, name: string, question: string): string {
  const value = text(flags, name);
  if (value === undefined || value === '') throw new UsageError(question);
  return value;
}

function text(flags: FlagValues, name: string): string | undefined {
  const value = flags[name];
  return typeof value === 'string' ? value : undefined;
}
