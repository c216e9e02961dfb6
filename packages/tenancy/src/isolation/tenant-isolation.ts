import type { TransactOptions, Trx } from '@svc/db';

export interface WithinOptions extends TransactOptions {
  /** A transaction to be part of. @default none: one of its own */
  within?: Trx;
}

/** Where the rows of tenants live. The code that uses it is the same for tables that they share, a schema each, and a database each. */
export interface TenantIsolation {
  /** Runs `fn` in a transaction that sees and writes only rows of that tenant. @throws {TypeError} when `tenantId` is no id, and within a transaction of another tenant */
  within<T>(tenantId: string, fn: (trx: Trx) => Promise<T>, options?: WithinOptions): Promise<T>;
  /** Makes the place where its rows will live; again does no harm. */
  provision(tenantId: string): Promise<void>;
}
