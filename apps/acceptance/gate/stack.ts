// pnpm stack:up | stack:wait | stack:seed | stack:down: the gate's stack for a person, left running.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseGateArguments } from './arguments.ts';
import { buildPackages } from './build.ts';
import { rootFolder } from './places.ts';
import { waitFor } from './wait.ts';

/** What `stack:up` leaves for the other commands. */
export interface StackState {
  readonly pid: number;
  readonly url: string;
  readonly controlUrl: string;
  readonly controlToken: string;
}

export const stackFolder = join(rootFolder, '.stack');
export const stateFile = join(stackFolder, 'state.json');

const commands: Record<string, (argv: readonly string[]) => Promise<void>> = {
  up,
  wait,
  seed,
  down,
};

if (import.meta.main) {
  const [name = '', ...argv] = process.argv.slice(2);
  const command = commands[name];
  if (command === undefined) {
    console.error(
      `Usage: node gate/stack.ts ${Object.keys(commands).join('|')} [--stack embedded|pg-redis] [--runtime node|bun]`,
    );
    process.exit(2);
  }
  try {
    await command(argv);
  } catch (error) {
    console.error(error instanceof Error ? error.message : error);
    process.exit(1);
  }
}

async function up(argv: readonly string[]): Promise<void> {
  const gateArguments = parseGateArguments(argv);
  if (gateArguments === 'help')
    return console.log('stack:up [--stack embedded|pg-redis] [--runtime node|bun]');
  if (readState() !== undefined) throw new Error('a stack is up already: pnpm stack:down ends it');
  buildPackages();
  mkdirSync(stackFolder, { recursive: true });
  rmSync(stateFile, { force: true });
  const log = openSync(join(stackFolder, 'stack.log'), 'w');
  const supervisor = spawn(
    process.execPath,
    [
      join(import.meta.dirname, 'supervisor.ts'),
      gateArguments.stacks[0] as string,
      gateArguments.runtimes[0] as string,
    ],
    {
      detached: true,
      stdio: ['ignore', log, log],
    },
  );
  supervisor.unref();
  await wait();
}

async function wait(): Promise<void> {
  const state = await waitFor('the stack to be up (see .stack/stack.log)', 60_000, async () =>
    readState(),
  );
  await waitFor(`${state.url}/readyz`, 30_000, async () =>
    (await fetch(`${state.url}/readyz`)).ok ? true : undefined,
  );
  console.log(
    `The stack is up: ${state.url}\n  API docs: ${state.url}/docs\n  logs: .stack/stack.log\n  pnpm stack:down ends it`,
  );
}

async function seed(): Promise<void> {
  const state = readState();
  if (state === undefined) throw new Error('no stack is up: pnpm stack:up starts one');
  const answer = await fetch(`${state.controlUrl}/seed`, {
    method: 'POST',
    headers: { authorization: `Bearer ${state.controlToken}` },
    body: '{}',
  });
  if (!answer.ok) throw new Error(await answer.text());
  console.log('Seeded.');
}

async function down(): Promise<void> {
  const state = readState();
  if (state === undefined) return console.log('No stack is up.');
  process.kill(state.pid, 'SIGTERM');
  await waitFor('the stack to end', 30_000, async () =>
    readState() === undefined ? true : undefined,
  );
  console.log('The stack is down; nothing is left of it.');
}

/** The stack that is up; a state left by a supervisor that was killed does not count. */
function readState(): StackState | undefined {
  if (!existsSync(stateFile)) return undefined;
  const state = JSON.parse(readFileSync(stateFile, 'utf8')) as StackState;
  try {
    process.kill(state.pid, 0);
    return state;
  } catch {
    // ESRCH: the supervisor is gone.
    rmSync(stateFile, { force: true });
    return undefined;
  }
}
