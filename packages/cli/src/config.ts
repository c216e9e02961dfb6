import type { Environment } from '@svc/core';
import type { Db, Migrations, Seed } from '@svc/db';

/** The database that commands work on. */
export interface DatabaseTarget {
  /** Where the app connects. */
  readonly url: string;
  /** Where the owner of the tables connects, who migrates. @default url */
  readonly ownerUrl?: string | undefined;
  /** The role the app runs as, which is granted the use of the tables. @default none */
  readonly appRole?: string | undefined;
}

/** What a command shows of a job. */
export interface ListedJob {
  readonly id: string;
  readonly task: string;
  readonly attempts: number;
  readonly enqueuedAt: Date;
  readonly errors: readonly { readonly message: string }[];
}

/** The queue that commands work on, as `createJobs` and `createWorker` of `@svc/jobs` give it. */
export interface JobsTarget {
  readonly jobs: {
    list(options: {
      state: 'waiting' | 'scheduled' | 'ready' | 'running' | 'done' | 'cancelled' | 'dead';
      task?: string;
      limit?: number;
    }): Promise<{ readonly items: readonly ListedJob[] }>;
    retry(id: string): Promise<void>;
    replayDead(filter: { task?: string; limit?: number }): Promise<number>;
    purgeDead(filter: { task?: string; limit?: number }): Promise<number>;
  };
  /** Not started yet. */
  readonly worker: { start(): void; stop(): Promise<void>; drained(): Promise<void> };
  /** Called when the command is over: closes what was opened for it. @default nothing */
  close?(): Promise<void>;
}

/** A way past the isolation of tenants, as `lintTenancy` of `@svc/tenancy` gives them. */
export interface TenantFinding {
  /** Also a view, a function or a role. */
  readonly table: string;
  readonly rule: string;
  readonly message: string;
  /** What to do. */
  readonly fix: string;
}

/** What the `svc` command needs to know of an app. */
export interface SvcConfig<Settings = unknown> {
  /** Reads the app's settings; what it throws as `InvalidSettings` ends the command with exit code 78. @default none */
  settings?: (environment: Environment) => Settings | Promise<Settings>;
  database: (settings: Settings) => DatabaseTarget | Promise<DatabaseTarget>;
  /** In the order in which they build on each other. @default none */
  migrations?: readonly Migrations[];
  /** For `svc jobs`. @default none */
  jobs?: (settings: Settings) => JobsTarget | Promise<JobsTarget>;
  /** @default none */
  seeds?: readonly Seed[];
  /** Of an app with tenants: what `svc tenants` does, and on what. @default none */
  tenants?: TenantsTarget;
}

/** The data of tenants. */
export interface TenantsTarget {
  /** What `svc tenants lint` does: `lintTenancy` of `@svc/tenancy`. @default it is refused */
  readonly lint?: (db: Db, options: { appRole?: string }) => Promise<readonly TenantFinding[]>;
  /** What exports and imports go by: that which `tenantTables` of `@svc/tenancy` gave. @default they are refused */
  readonly tables?: { readonly type: string; readonly tables: readonly object[] };
  /** What appends to the audit log of this database: `(db) => createAudit({ db }).append`. @default exports and imports are not audited */
  readonly audit?: (db: Db) => (event: never, options: never) => Promise<unknown>;
}

/** Types the config of an app: `export default defineConfig({ … })` in `svc.config.ts`. */
export function defineConfig<Settings>(config: SvcConfig<Settings>): SvcConfig<Settings> {
  return config;
}

/** What a command that works on no app is given. */
export const withoutApp: SvcConfig = {
  database: () => {
    throw new TypeError('this command has no database');
  },
};
