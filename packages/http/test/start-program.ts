import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const bin = join(import.meta.dirname, '../../../node_modules/.bin');

/** The commands of the runtimes that every behaviour of a server is shown on. */
export const runtimes = { node: process.execPath, bun: join(bin, 'bun') };
export type Runtime = keyof typeof runtimes;
/** Bun is shown once, beside the newer Node. */
export const shownRuntimes: readonly Runtime[] = process.version.startsWith('v22.')
  ? ['node']
  : ['node', 'bun'];

export interface Program extends AsyncDisposable {
  readonly port: number;
  readonly pid: number;
  /** Everything it has said so far. */
  readonly said: readonly Record<string, unknown>[];
  /** Resolves when it says a line with this key, also when it already has. */
  heard(key: string): Promise<unknown>;
  kill(signal: NodeJS.Signals): void;
  exited(): Promise<number | null>;
  /** The most memory it has ever held, in bytes. */
  peakMemory(): number;
}

/** Starts `test/programs/service.ts` and waits until it listens. */
export async function startService(runtime: Runtime, ...args: string[]): Promise<Program> {
  const file = join(import.meta.dirname, 'programs/service.ts');
  const child = spawn(runtimes[runtime], ['--conditions=@svc/source', file, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exit = once(child, 'exit').then(([code]) => code as number | null);
  const said: Record<string, unknown>[] = [];
  const waiting = new Set<() => void>();
  createInterface({ input: child.stdout }).on('line', (line) => {
    said.push(JSON.parse(line) as Record<string, unknown>);
    for (const wake of waiting) wake();
  });
  const heard = (key: string) =>
    new Promise<unknown>((resolve, reject) => {
      const look = () => {
        const line = said.find((each) => key in each);
        if (line === undefined) return;
        waiting.delete(look);
        resolve(line[key]);
      };
      waiting.add(look);
      void exit.then(() => setImmediate(() => reject(new Error(`ended without saying ${key}`))));
      look();
    });
  const port = (await heard('port')) as number;
  const pid = child.pid as number;
  return {
    port,
    pid,
    said,
    heard,
    kill: (signal) => void child.kill(signal),
    exited: () => exit,
    peakMemory: () =>
      Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL');
      await exit;
    },
  };
}
