import type { Connection, StepStatus } from '@svc/db';
import { type Command, type CommandContext, type Flag, type FlagValues, UsageError } from './command.ts';
import { type DatabaseConfig, loadConfig, type SvcConfig } from './config.ts';

interface Opened {
  config: SvcConfig;
  database: DatabaseConfig;
  connection: Connection;
}

/** Opens the app's database as its owner, and closes it whatever happens. */
async function withDatabase<T>(flags: FlagValues, context: CommandContext, work: (opened: Opened) => Promise<T>): Promise<T> {
  const config = await loadConfig(context.folder, flags['config'] as string | undefined);
  const database = config.database(config.settings(context.environment));
  // Only now: help and wrong usage should not wait for a database driver.
  const { connect } = await import('@svc/db');
  await using connection = await connect(database.ownerUrl ?? database.url, { poolSize: 2 });
  return await work({ config, database, connection });
}

const migrateCommand: Command = {
  name: 'db migrate',
  summary: 'Apply the migrations that are not applied yet.',
  flags: {},
  run: (flags, context) =>
    withDatabase(flags, context, async ({ config, database, connection }) => {
      const { migrate } = await import('@svc/db');
      const steps = await migrate(connection.db, config.migrations, roleOf(database));
      return print(flags, context, { steps }, steps.length === 0 ? 'Nothing to migrate.' : list('Applied', steps));
    }),
};

const rollbackCommand: Command = {
  name: 'db rollback',
  summary: 'Undo the newest migrations of the last package that has one. Loses the data in what they made.',
  flags: {
    steps: { type: 'string', value: 'N', description: 'how many (default: 1)' },
    force: { type: 'boolean', description: 'also where APP_ENV is production' },
  } satisfies Record<string, Flag>,
  run: (flags, context) => {
    const steps = Number(flags['steps'] ?? '1');
    if (!Number.isInteger(steps) || steps < 1) throw new UsageError('--steps takes a whole number from 1');
    if (context.environment['APP_ENV'] === 'production' && flags['force'] !== true) {
      throw new UsageError('APP_ENV is production: a rollback loses data there; --force does it all the same');
    }
    return withDatabase(flags, context, async ({ config, database, connection }) => {
      const { rollback } = await import('@svc/db');
      const undone = await rollback(connection.db, config.migrations, { steps, ...roleOf(database) });
      return print(flags, context, { steps: undone }, undone.length === 0 ? 'Nothing to roll back.' : list('Undone', undone));
    });
  },
};

const statusCommand: Command = {
  name: 'db status',
  summary: 'List every migration and whether it is applied.',
  flags: {},
  run: (flags, context) =>
    withDatabase(flags, context, async ({ config, connection }) => {
      const { migrationStatus } = await import('@svc/db');
      const steps = await migrationStatus(connection.db, config.migrations);
      const lines = steps.map(({ schema, name, state, appliedAt }) => `${state.padEnd(8)} ${schema}.${name}${appliedAt === null ? '' : `  ${appliedAt.toISOString()}`}`);
      return print(flags, context, { steps }, lines.join('\n'));
    }),
};

const seedCommand: Command = {
  name: 'db seed',
  summary: 'Run the seeds that have not run yet.',
  flags: {},
  run: (flags, context) =>
    withDatabase(flags, context, async ({ config, connection }) => {
      const { seed } = await import('@svc/db');
      const seeds = await seed(connection.db, config.seeds ?? []);
      return print(flags, context, { seeds }, seeds.length === 0 ? 'Nothing to seed.' : `Seeded: ${seeds.join(', ')}`);
    }),
};

/** `svc db …` */
export const dbCommands: readonly Command[] = [migrateCommand, rollbackCommand, statusCommand, seedCommand];

const roleOf = ({ appRole }: DatabaseConfig) => (appRole === undefined ? {} : { appRole });

const list = (verb: string, steps: readonly StepStatus[]) => steps.map(({ schema, name }) => `${verb} ${schema}.${name}`).join('\n');

function print(flags: FlagValues, { stdout }: CommandContext, json: object, text: string): number {
  stdout.write(`${flags['json'] === true ? JSON.stringify(json) : text}\n`);
  return 0;
}
