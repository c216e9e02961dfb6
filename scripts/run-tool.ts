import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The repository's folder. */
export const root = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

const binaries = join(root, 'node_modules', '.bin');

/** What every tool is started with: ours first on the PATH, and none of them phones home. */
export const toolEnvironment: NodeJS.ProcessEnv = {
  ...process.env,
  PATH: [binaries, process.env['PATH'] ?? ''].join(delimiter),
  DO_NOT_TRACK: '1',
  TURBO_TELEMETRY_DISABLED: '1',
  NO_UPDATE_NOTIFIER: '1',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_update_notifier: 'false',
};

export interface ToolOptions {
  /** @default the repository's folder */
  cwd?: string;
  /** Shows the output as it comes instead of collecting it. @default false */
  shown?: boolean;
  /** @default none */
  timeoutMs?: number;
  env?: NodeJS.ProcessEnv;
}

export interface ToolResult {
  /** -1 when it was ended by a signal or could not be started. */
  readonly exitCode: number;
  /** What it wrote, both streams in order; empty when shown. */
  readonly output: string;
  readonly timedOut: boolean;
  readonly tookMs: number;
}

/** Runs a program to its end; a failure of it is a result, not an exception. */
export function runTool(
  command: string,
  args: readonly string[],
  { cwd = root, shown = false, timeoutMs, env }: ToolOptions = {},
): Promise<ToolResult> {
  return new Promise((resolve) => {
    const startedAt = performance.now();
    const running = spawn(command, args, {
      cwd,
      env: { ...toolEnvironment, ...env },
      stdio: ['ignore', shown ? 'inherit' : 'pipe', shown ? 'inherit' : 'pipe'],
      ...(timeoutMs === undefined ? {} : { timeout: timeoutMs }),
    });
    let output = '';
    const keep = (chunk: string) => void (output += chunk);
    running.stdout?.setEncoding('utf8').on('data', keep);
    running.stderr?.setEncoding('utf8').on('data', keep);
    const finish = (exitCode: number, timedOut = false) =>
      resolve({
        exitCode,
        output: output.trimEnd(),
        timedOut,
        tookMs: performance.now() - startedAt,
      });
    running.on('error', (error) => {
      output += error.message;
      finish(-1);
    });
    running.on('close', (code, signal) =>
      finish(code ?? -1, signal !== null && timeoutMs !== undefined),
    );
  });
}

/** `1.2 s`, or `2 min 5 s`. */
export function inWords(ms: number): string {
  const seconds = ms / 1000;
  return seconds < 100
    ? `${seconds.toFixed(1)} s`
    : `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}
