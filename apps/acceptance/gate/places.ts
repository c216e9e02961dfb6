import { existsSync } from 'node:fs';
import { join } from 'node:path';

/** The folder of the app. */
export const appFolder = join(import.meta.dirname, '..');
/** The root of the repository. */
export const rootFolder = join(appFolder, '../..');
export const reportsFolder = join(rootFolder, 'reports');

/** The program that serves the app on a runtime. */
export function runtimeProgram(runtime: 'node' | 'bun'): string {
  if (runtime === 'node') return process.execPath;
  const program = join(rootFolder, 'node_modules/bun/bin/bun.exe');
  if (!existsSync(program))
    throw new Error('Bun is not installed: run `pnpm install` in the repository');
  return program;
}
