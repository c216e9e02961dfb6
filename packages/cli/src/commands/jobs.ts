import type {
  Command,
  CommandContext,
  CommandGroup,
  CommandResult,
  FlagValues,
} from '../command.ts';
import type { JobsTarget } from '../config.ts';
import { alignRows } from '../help.ts';
import { UsageError } from '../usage-error.ts';

const states = ['waiting', 'scheduled', 'ready', 'running', 'done', 'cancelled', 'dead'];

const run: Command = {
  summary: 'Run jobs, until SIGTERM or SIGINT.',
  flags: { drain: { description: 'end when nothing is ready and nothing runs' } },
  run: (context) =>
    withJobs(context, async ({ worker }) => {
      const over = new AbortController();
      worker.start();
      const signal = await Promise.race([
        ...(context.flags['drain'] === true ? [worker.drained()] : []),
        asked(over.signal),
      ]);
      await worker.stop();
      over.abort('stopped');
      return {
        text: signal === undefined ? 'Nothing is left to run.' : `Stopped by ${signal}.`,
        json: { signal: signal ?? null },
      };
    }),
};

const list: Command = {
  summary: 'List jobs, the newest first. Shows no payloads.',
  flags: {
    state: { value: 'STATE', description: `${states.join(', ')} (default: ready)` },
    task: { value: 'NAME', description: 'only of this task' },
    limit: { value: 'N', description: 'how many, at most 1000 (default: 50)' },
  },
  run: (context) =>
    withJobs(context, async ({ jobs }) =>
      listed(jobs, context.flags, text(context.flags, 'state') ?? 'ready'),
    ),
};

const retry: Command = {
  summary: 'Make a scheduled or dead job ready now.',
  argument: 'ID',
  flags: {},
  run: (context) =>
    withJobs(context, async ({ jobs }) => {
      const { argument } = context;
      if (argument === undefined) throw new UsageError('which job? svc jobs retry ID');
      await jobs.retry(argument);
      return { text: `ready ${argument}`, json: { id: argument } };
    }),
};

const dead: Command = {
  summary: 'List, replay or purge dead letters.',
  flags: {
    replay: { description: 'make them ready again, with fresh attempts' },
    purge: { description: 'delete them for good' },
    task: { value: 'NAME', description: 'only of this task' },
    limit: { value: 'N', description: 'how many, at most 1000 (default: 50)' },
  },
  run: (context) =>
    withJobs(context, async ({ jobs }) => {
      const { flags } = context;
      if (flags['replay'] === true && flags['purge'] === true)
        throw new UsageError('--replay and --purge exclude each other');
      const verb =
        flags['replay'] === true ? 'replayed' : flags['purge'] === true ? 'purged' : undefined;
      if (verb === undefined) return listed(jobs, flags, 'dead');
      const filter = { ...taskOf(flags), limit: parseLimit(flags) };
      const count = await (verb === 'replayed' ? jobs.replayDead(filter) : jobs.purgeDead(filter));
      return { text: `${verb} ${count}`, json: { [verb]: count } };
    }),
};

/** `svc jobs …` */
export const jobsCommands: CommandGroup = {
  summary: 'Background jobs.',
  commands: { dead, list, retry, run },
};

async function withJobs(
  { config, environment }: CommandContext,
  work: (target: JobsTarget) => Promise<CommandResult>,
): Promise<CommandResult> {
  if (config.jobs === undefined) throw new Error('the config has no jobs');
  const target = await config.jobs(await config.settings?.(environment));
  try {
    return await work(target);
  } finally {
    await target.close?.();
  }
}

/** Resolves with the signal that asks the process to end, while `during` is not aborted. */
function asked(during: AbortSignal): Promise<string> {
  return new Promise((resolve) => {
    for (const name of ['SIGTERM', 'SIGINT'] as const) {
      const listen = () => resolve(name);
      process.once(name, listen);
      during.addEventListener('abort', () => process.off(name, listen));
    }
  });
}

async function listed(
  jobs: JobsTarget['jobs'],
  flags: FlagValues,
  state: string,
): Promise<CommandResult> {
  if (!states.includes(state)) throw new UsageError(`--state is one of ${states.join(', ')}`);
  const { items } = await jobs.list({
    state: state as 'dead',
    ...taskOf(flags),
    limit: parseLimit(flags),
  });
  const rows = items.map(({ id, task, attempts, enqueuedAt, errors }) => [
    id,
    task,
    `${attempts} attempts`,
    enqueuedAt.toISOString(),
    // A message is the handler's: it must not write on the terminal what it likes.
    errors.at(-1)?.message.replaceAll(/\p{Cc}/gu, ' ') ?? '',
  ]);
  return {
    text: alignRows(rows).join('\n') || `No job is ${state}.`,
    json: {
      jobs: items.map(({ id, task, attempts, enqueuedAt, errors }) => ({
        id,
        task,
        state,
        attempts,
        enqueuedAt,
        errors,
      })),
    },
  };
}

function taskOf(flags: FlagValues): { task?: string } {
  const task = text(flags, 'task');
  return task === undefined ? {} : { task };
}

function parseLimit(flags: FlagValues): number {
  const value = text(flags, 'limit') ?? '50';
  if (!/^[1-9]\d{0,3}$/.test(value) || Number(value) > 1000)
    throw new UsageError('--limit takes a whole number from 1 to 1000');
  return Number(value);
}

function text(flags: FlagValues, name: string): string | undefined {
  const value = flags[name];
  return typeof value === 'string' ? value : undefined;
}
