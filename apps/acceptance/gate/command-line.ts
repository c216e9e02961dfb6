import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { Children } from './children.ts';
import { appFolder, rootFolder } from './places.ts';

export interface CommandResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the built `svc` command in the folder of the app. */
export const runSvc = (
  children: Children,
  args: readonly string[],
  environment: Record<string, string>,
) => runToEnd(children, [join(rootFolder, 'packages/cli/dist/bin.js'), ...args], environment);

/** Runs the app with just this environment until it ends by itself, at most 20 s. */
export const runApp = (children: Children, environment: Record<string, string>) =>
  runToEnd(children, ['src/main.ts'], environment, { timeout: 20_000 });

async function runToEnd(
  children: Children,
  args: readonly string[],
  environment: Record<string, string>,
  limits: { timeout?: number } = {},
): Promise<CommandResult> {
  const child = children.start(process.execPath, args, {
    cwd: appFolder,
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...limits,
  });
  if (child.stdout === null || child.stderr === null) throw new Error('no pipes');
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { exitCode: child.exitCode, stdout, stderr };
}

/** Runs `svc` where anything but success is the end of the gate; answers what it printed. */
export async function mustRunSvc(
  children: Children,
  args: readonly string[],
  environment: Record<string, string>,
): Promise<string> {
  const { exitCode, stdout, stderr } = await runSvc(children, args, environment);
  if (exitCode !== 0) {
    throw new Error(`svc ${args.join(' ')} ended with ${exitCode}:\n${stdout}${stderr}`);
  }
  return stdout;
}
