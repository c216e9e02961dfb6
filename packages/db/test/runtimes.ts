import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const node = { runtime: 'Node', command: process.execPath } as const;
const bun = { runtime: 'Bun', command: 'bun' } as const;

/** Bun is shown once, beside the newer Node. */
export const runtimes = process.version.startsWith('v22.') ? [node] : [node, bun];

/** A program of `test/programs`, run from the sources in a process of its own; what it says is lines of JSON. */
export interface Program {
  readonly child: ChildProcessWithoutNullStreams;
  readonly lines: Interface;
  /** The next line. @throws {Error} with what it wrote to stderr, when it ended instead. */
  next<Line>(): Promise<Line>;
  readonly ended: Promise<{ code: number | null; signal: string | null; stderr: string }>;
}

export function runProgram(
  command: string,
  program: string,
  args: readonly string[],
  environment: Record<string, string> = {},
): Program {
  const file = fileURLToPath(new URL(`./programs/${program}.ts`, import.meta.url));
  const child = spawn(command, ['--conditions=@svc/source', file, ...args], {
    env: { ...process.env, ...environment },
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const lines = createInterface(child.stdout);
  const iterator = lines[Symbol.asyncIterator]();
  const ended = new Promise<{ code: number | null; signal: string | null; stderr: string }>(
    (resolve) => child.once('close', (code, signal) => resolve({ code, signal, stderr })),
  );
  return {
    child,
    lines,
    ended,
    async next<Line>() {
      const { value, done } = await iterator.next();
      if (done === true) throw new Error(`${program} ended: ${JSON.stringify(await ended)}`);
      return JSON.parse(value as string) as Line;
    },
  };
}
