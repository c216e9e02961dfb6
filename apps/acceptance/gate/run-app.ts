import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { Children } from './children.ts';
import type { CommandResult } from './command-line.ts';
import { appFolder } from './places.ts';

/** Runs the app with just this environment until it ends by itself, at most 10 s. */
export async function runApp(
  children: Children,
  environment: Record<string, string>,
): Promise<CommandResult> {
  const child = children.start(process.execPath, ['src/main.ts'], {
    cwd: appFolder,
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 10_000,
  });
  if (child.stdout === null || child.stderr === null) throw new Error('no pipes');
  const [stdout, stderr] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { exitCode: child.exitCode, stdout, stderr };
}
