import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** A program of `test/programs`, run from the sources in a process of its own; what it says is lines of JSON. */
export interface Program {
  readonly child: ChildProcessWithoutNullStreams;
  /** The next line. @throws {Error} with what it wrote to stderr, when it ended instead. */
  next<Line>(): Promise<Line>;
  readonly ended: Promise<{ code: number | null; signal: string | null; stderr: string }>;
}

export function runProgram(
  command: string,
  program: string,
  args: readonly string[],
  flags: readonly string[] = [],
): Program {
  const file = fileURLToPath(new URL(`./programs/${program}.ts`, import.meta.url));
  const child = spawn(command, ['--conditions=@svc/source', ...flags, file, ...args]);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const iterator = createInterface(child.stdout)[Symbol.asyncIterator]();
  const ended = new Promise<{ code: number | null; signal: string | null; stderr: string }>(
    (resolve) => child.once('close', (code, signal) => resolve({ code, signal, stderr })),
  );
  return {
    child,
    ended,
    async next<Line>() {
      const { value, done } = await iterator.next();
      if (done === true) throw new Error(`${program} ended: ${JSON.stringify(await ended)}`);
      return JSON.parse(value as string) as Line;
    },
  };
}
