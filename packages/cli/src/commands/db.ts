import { basename } from 'node:path';
import type { StepStatus } from '@svc/db';
import type { Command, CommandContext, CommandGroup, CommandResult } from '../command.ts';
import type { DatabaseTarget } from '../config.ts';
import { alignRows } from '../help.ts';
import { UsageError } from '../usage-error.ts';
import { withDatabase } from '../with-database.ts';

// Loaded by the command that needs it, so that `--help` does not wait for database drivers.
const loadDb = () => import('@svc/db');

const migrate: Command = {
  summary: 'Apply the migrations that are not applied yet.',
  flags: {},
  run: (context) =>
    withDatabase(context, async ({ db }, { appRole }) => {
      const { migrate: apply } = await loadDb();
      const applied = await apply(
        db,
        context.config.migrations ?? [],
        appRole === undefined ? {} : { appRole },
      );
      return steps('applied', applied, 'Nothing to apply.');
    }),
};

const rollback: Command = {
  summary: 'Undo the newest applied migrations.',
  flags: {
    steps: { value: 'N', description: 'how many, the newest first (default: 1)' },
    'yes-i-mean-production': {
      value: 'DATABASE',
      description: 'the name of the database; asked for where APP_ENV is production',
    },
  },
  run: async (context) => {
    const count = parseSteps(context.flags['steps']);
    return withDatabase(
      context,
      async ({ db }, { appRole }) => {
        const { rollback: undo } = await loadDb();
        const options = { steps: count, ...(appRole === undefined ? {} : { appRole }) };
        return steps(
          'undone',
          await undo(db, context.config.migrations ?? [], options),
          'Nothing to undo.',
        );
      },
      (target) => assertMeant(context, target),
    );
  },
};

const status: Command = {
  summary: 'Show every migration and whether it is applied. Changes nothing.',
  flags: {},
  run: (context) =>
    withDatabase(context, async ({ db }) => {
      const { migrationStatus } = await loadDb();
      const all = await migrationStatus(db, context.config.migrations ?? []);
      const pending = all.filter(({ state }) => state === 'pending').length;
      const rows = all.map(({ schema, name, state, appliedAt, breaking }) => [
        state,
        `${schema}/${name}`,
        appliedAt?.toISOString() ?? '',
        breaking ? 'breaking' : '',
      ]);
      return {
        text: [...alignRows(rows), `${all.length} steps, ${pending} pending`].join('\n'),
        json: { steps: all, pending },
      };
    }),
};

const seed: Command = {
  summary: 'Run the seeds that this database has not had.',
  flags: {},
  run: (context) =>
    withDatabase(context, async ({ db }) => {
      const { seed: sow } = await loadDb();
      const seeded = await sow(db, context.config.seeds ?? []);
      return {
        text: seeded.map((name) => `seeded ${name}`).join('\n') || 'Nothing to seed.',
        json: { seeded },
      };
    }),
};

/** `svc db …` */
export const dbCommands: CommandGroup = {
  summary: 'The database of the app, as the owner of its tables.',
  commands: { migrate, rollback, status, seed },
};

function steps(
  verb: 'applied' | 'undone',
  done: readonly StepStatus[],
  nothing: string,
): CommandResult {
  return {
    text: done.map(({ schema, name }) => `${verb} ${schema}/${name}`).join('\n') || nothing,
    json: { [verb]: done.map(({ schema, name }) => ({ schema, name })) },
  };
}

function parseSteps(value: string | boolean | undefined): number {
  if (value === undefined) return 1;
  if (typeof value !== 'string' || !/^[1-9]\d{0,3}$/.test(value)) {
    throw new UsageError('--steps takes a whole number from 1 to 9999');
  }
  return Number(value);
}

function assertMeant(
  { environment, flags }: CommandContext,
  { url, ownerUrl = url }: DatabaseTarget,
): void {
  if (environment['APP_ENV'] !== 'production') return;
  const database = databaseName(ownerUrl);
  if (flags['yes-i-mean-production'] === database) return;
  throw new Error(
    `APP_ENV is production: rolling back drops data. If that is meant, add --yes-i-mean-production ${database}`,
  );
}

/** The name a person knows a database by. */
function databaseName(url: string): string {
  if (url.startsWith('pglite:')) return basename(url.slice('pglite:'.length));
  return URL.canParse(url) ? decodeURIComponent(new URL(url).pathname.slice(1)) : 'DATABASE';
}
