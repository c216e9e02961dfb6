import type { EncodedParameter } from './codec.ts';
import type { PoolFigures } from './connection.ts';

export interface SessionResult {
  readonly rows: Record<string, unknown>[];
  /** The command tag's first word: `SELECT`, `UPDATE`, `ROLLBACK`. */
  readonly command: string;
  /** Rows written; 0 for what writes none. */
  readonly affectedRows: number;
}

/** One session of the database server. What it throws is cleaned: `QueryFailed` or `DatabaseUnavailable`. */
export interface Session {
  run(text: string, parameters: readonly EncodedParameter[]): Promise<SessionResult>;
  /** Several statements in one message: after one that fails, none of the rest runs. */
  runAll(text: string): Promise<void>;
  /** Never use it again: its state is not known. */
  kill(): void;
}

/** Told of notifications, and of their end. */
export interface ListenHandlers {
  onNotify(): void;
  /** Not called after the listener was closed by its owner. */
  onLost(): void;
}

/** Where sessions come from: a pool, or the one that PGlite has. */
export interface Sessions {
  /** @throws {DatabaseUnavailable} when there is none in time. */
  acquire(): Promise<Session>;
  release(session: Session): void;
  /** Called by the flow that begins a transaction, before its first statement. */
  onBegin(session: Session): void;
  figures(): PoolFigures;
  listen(channel: string, handlers: ListenHandlers): Promise<AsyncDisposable>;
  close(): Promise<void>;
}

/** The command tags whose row count is a number of rows written. */
export const writingCommands: ReadonlySet<string> = new Set([
  'INSERT',
  'UPDATE',
  'DELETE',
  'MERGE',
  'COPY',
]);
