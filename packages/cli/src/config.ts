import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Environment } from '@svc/core';
import type { Migrations, Seed } from '@svc/db';

/** Where the data of an app lives. */
export interface DatabaseConfig {
  /** As the role of the app. */
  readonly url: string;
  /** As the owner of the tables. @default url */
  readonly ownerUrl?: string | undefined;
  /** The role that the app works as; migrations grant it its rights. */
  readonly appRole?: string;
}

/** What `svc` must know of an app: the default export of `svc.config.ts`. */
export interface SvcConfig<Settings = unknown> {
  /** Reads the app's settings. May throw `InvalidSettings`, which ends `svc` with exit code 78. */
  readonly settings: (environment: Environment) => Settings;
  readonly database: (settings: Settings) => DatabaseConfig;
  /** In the order in which they build on each other. */
  readonly migrations: readonly Migrations[];
  /** @default none */
  readonly seeds?: readonly Seed[];
}

/** Declares the configuration, with types: `export default defineConfig({ settings: readSettings, … })`. */
export function defineConfig<Settings>(config: SvcConfig<Settings>): SvcConfig<Settings> {
  return config;
}

/** The configuration could not be loaded; the message says what to do. */
export class ConfigNotUsable extends Error {
  override name = 'ConfigNotUsable';
}

const names = ['svc.config.ts', 'svc.config.mts', 'svc.config.js', 'svc.config.mjs'];

/** Loads the configuration of a folder. @throws {ConfigNotUsable} */
export async function loadConfig(folder: string, path?: string): Promise<SvcConfig> {
  const file = path === undefined ? names.map((name) => join(folder, name)).find(existsSync) : resolve(folder, path);
  if (file === undefined || !existsSync(file)) {
    throw new ConfigNotUsable(`there is no ${path ?? names[0]} in ${folder}; --config names another place`);
  }
  const { default: config } = (await import(pathToFileURL(file).href)) as { default?: SvcConfig };
  if (typeof config?.settings !== 'function' || typeof config.database !== 'function' || !Array.isArray(config.migrations)) {
    throw new ConfigNotUsable(`${file} must export defineConfig({ settings, database, migrations }) as its default`);
  }
  return config;
}
