import type { Children } from '../children.ts';
import type { Finding } from './storage.ts';

/** A server that scenarios may take away and bring back. */
export interface Switchable {
  stop(): Promise<void>;
  start(): Promise<void>;
}

/** Where the app's data lives: what a stack provides before the app starts. */
export interface Backing {
  /** Environment of the app, and of `svc` commands for it. */
  readonly environment: Record<string, string>;
  readonly postgres?: Switchable;
  readonly redis?: Switchable;
  /** An empty database beside the app's, as environment for `svc`. */
  readonly freshDatabase?: () => Promise<Record<string, string>>;
  /** Looks for texts in every table of every schema and in every Redis key. */
  readonly findStored?: (texts: readonly string[]) => Promise<Finding[]>;
  /** Switches row-level security of the app's own tables off, and on again. */
  readonly switchRowSecurity?: (on: boolean) => Promise<void>;
  stop(): Promise<void>;
}

export interface BackingOptions {
  children: Children;
  folder: string;
}

/** A stack that cannot run here, and how to make it. */
export class StackUnavailable extends Error {
  override name = 'StackUnavailable';
}
