import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { SvcConfig } from './config.ts';
import { UsageError } from './usage-error.ts';

const names = ['svc.config.ts', 'svc.config.mts', 'svc.config.js', 'svc.config.mjs'];

/** Whether there is one to load. */
export const hasConfig = (cwd: string, path: string | undefined): boolean =>
  path !== undefined || names.some((name) => existsSync(resolve(cwd, name)));

/** The config at `path`, or the one of the folder `cwd`. @throws {UsageError} when there is none, or it is not one. */
export async function loadConfig(cwd: string, path: string | undefined): Promise<SvcConfig> {
  const found = (path === undefined ? names : [path])
    .map((name) => resolve(cwd, name))
    .find((file) => existsSync(file));
  if (found === undefined) {
    throw new UsageError(
      path === undefined
        ? `there is no ${names.join(', ')} in ${cwd}`
        : `there is no ${resolve(cwd, path)}`,
    );
  }
  const loaded = (await importFile(found)) as { default?: Partial<SvcConfig> };
  const config = loaded.default;
  if (typeof config !== 'object' || config === null || typeof config.database !== 'function') {
    throw new UsageError(`${found} has no default export made by defineConfig`);
  }
  return config as SvcConfig;
}

async function importFile(file: string): Promise<unknown> {
  try {
    return await import(/* @vite-ignore */ pathToFileURL(file).href);
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code !== 'ERR_UNKNOWN_FILE_EXTENSION') throw error;
    throw new UsageError(
      `this Node does not run TypeScript (22.18 does): give it a .js config instead of ${file}`,
    );
  }
}
