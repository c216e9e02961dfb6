import type { Environment } from '@svc/core';
import type { Migrations, Seed } from '@svc/db';

/** The database that commands work on. */
export interface DatabaseTarget {
  /** Where the app connects. */
  readonly url: string;
  /** Where the owner of the tables connects, who migrates. @default url */
  readonly ownerUrl?: string | undefined;
  /** The role the app runs as, which is granted the use of the tables. @default none */
  readonly appRole?: string | undefined;
}

/** What the `svc` command needs to know of an app. */
export interface SvcConfig<Settings = unknown> {
  /** Reads the app's settings; what it throws as `InvalidSettings` ends the command with exit code 78. @default none */
  settings?: (environment: Environment) => Settings | Promise<Settings>;
  database: (settings: Settings) => DatabaseTarget | Promise<DatabaseTarget>;
  /** In the order in which they build on each other. @default none */
  migrations?: readonly Migrations[];
  /** @default none */
  seeds?: readonly Seed[];
}

/** Types the config of an app: `export default defineConfig({ … })` in `svc.config.ts`. */
export function defineConfig<Settings>(config: SvcConfig<Settings>): SvcConfig<Settings> {
  return config;
}
