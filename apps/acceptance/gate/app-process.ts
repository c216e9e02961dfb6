import type { ChildProcess } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Children, endProcess } from './children.ts';
import type { RuntimeName } from './arguments.ts';
import { appFolder, runtimeProgram } from './places.ts';
import { waitFor } from './wait.ts';

/** The app, served by a process of its own. */
export interface AppProcess {
  readonly url: string;
  /** Starts it, with other settings where some are given. */
  start(changed?: Record<string, string>): Promise<void>;
  /** Answers the exit code, and how long it took. */
  terminate(signal: NodeJS.Signals): Promise<{ exitCode: number | null; tookMs: number }>;
  /** Sends a signal that does not end it. */
  signal(signal: NodeJS.Signals): void;
  /** Everything it has logged, and those that share its folder. */
  log(): string;
}

export interface AppProcessOptions {
  children: Children;
  runtime: RuntimeName;
  folder: string;
  port: number;
  /** @default 'src/main.ts' */
  program?: string;
  environment: Record<string, string>;
}

export function createAppProcess({
  children,
  runtime,
  folder,
  port,
  environment,
  program = 'src/main.ts',
}: AppProcessOptions): AppProcess {
  const url = `http://localhost:${port}`;
  const logFile = join(folder, 'app.log');
  let child: ChildProcess | undefined;
  const log = () => readFileSync(logFile, 'utf8');

  return {
    url,
    log,
    async start(changed = {}) {
      const started = children.start(runtimeProgram(runtime), [program], {
        cwd: appFolder,
        env: {
          PATH: process.env['PATH'] ?? '',
          ...environment,
          ...changed,
          PORT: String(port),
        },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      const sink = createWriteStream(logFile, { flags: 'a' });
      started.stdout?.pipe(sink, { end: false });
      started.stderr?.pipe(sink, { end: false });
      child = started;
      await waitFor(`the app to be ready at ${url}/readyz`, 30_000, async () => {
        if (started.exitCode !== null) return started.exitCode;
        const answer = await fetch(`${url}/readyz`);
        return answer.status === 200 ? 'ready' : undefined;
      }).then((answer) => {
        if (answer !== 'ready')
          throw new Error(`the app ended with exit code ${answer}:\n${log().slice(-4000)}`);
      });
    },
    signal(signal) {
      child?.kill(signal);
    },
    async terminate(signal) {
      if (child === undefined) throw new Error('the app was not started');
      const startedAt = performance.now();
      const exitCode = await endProcess(child, signal, 30_000);
      return { exitCode, tookMs: performance.now() - startedAt };
    },
  };
}
