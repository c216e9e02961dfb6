export { afterCommit, afterEnd } from './after-commit.ts';
export { assertAppRole } from './app-role.ts';
export { connect, type ConnectOptions } from './connect.ts';
export type { Connection, Db, PoolFigures, Trx } from './connection.ts';
export { constraintOf, type ConstraintViolation } from './driver-errors.ts';
export { connectionAcquired, connectionFailed, connectionLost } from './events.ts';
export {
  AlreadyExists,
  CommitRolledBack,
  DatabaseLocked,
  DatabaseUnavailable,
  MigrationChanged,
  MigrationFailed,
  QueryFailed,
  StaleVersion,
  UnsafeRole,
} from './failures.ts';
export { listen } from './listen.ts';
export {
  migrate,
  type MigrateOptions,
  migrationStatus,
  rollback,
  type RollbackOptions,
} from './migrate.ts';
export type { Migrations, MigrationStep, StepStatus } from './migration.ts';
export type { ListenHandlers } from './session.ts';
export { seed, type Seed } from './seed.ts';
export { databaseSettings } from './settings.ts';
export { type Isolation, transact, type TransactOptions } from './transact.ts';
export type { TransactionSettings } from './transaction-settings.ts';
export { expectInserted, expectUpdated, hasVersion } from './versions.ts';
