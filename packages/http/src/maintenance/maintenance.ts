import {
  type Clock,
  constantTimeEqual,
  type Logger,
  sha256,
  silentLogger,
  systemClock,
} from '@svc/core';
import * as v from 'valibot';
import { maintenanceChanged } from '../events.ts';
import type { MaintenanceStore } from './store.ts';

/** What is being worked on: everything, the routes below a path, or one tenant. */
export type MaintenanceTarget = 'app' | { readonly path: string } | { readonly tenantId: string };

/** What is shut, and how. */
export interface MaintenanceEntry {
  readonly target: MaintenanceTarget;
  /** Whether reading goes on. */
  readonly readOnly: boolean;
  /** What `Retry-After` says. */
  readonly retryAfterSeconds: number;
  /** When it was shut, in milliseconds since 1970. */
  readonly sinceMs: number;
}

/** Shuts the app, a part of it or one tenant, in all processes. */
export interface Maintenance {
  /** Shuts it; what was set for the same target is replaced. @throws what the store throws */
  set(
    target: MaintenanceTarget,
    options?: { readOnly?: boolean; retryAfterSeconds?: number },
  ): Promise<void>;
  /** Opens it again; whether it was shut. @throws what the store throws */
  clear(target: MaintenanceTarget): Promise<boolean>;
  /** What is shut, as it was known last: at most `refreshMs` old while the store answers. */
  get(): readonly MaintenanceEntry[];
  /** The entry that shuts a request out, the most severe first. */
  find(request: {
    path: string;
    tenantId?: string | undefined;
    reads: boolean;
  }): MaintenanceEntry | undefined;
  /** Whether a token lets its bearer in all the same, compared in constant time. */
  isBypass(token: string | undefined): boolean;
  /** Reads the state and goes on reading it. Where the store is away, what was known last holds. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface MaintenanceOptions {
  store: MaintenanceStore;
  /** Lets its bearer in while all others are shut out; at least 16 characters. @default none */
  bypassToken?: string;
  /** How often the state is read, in milliseconds. @default 500 */
  refreshMs?: number;
  /** Of which instance the events are. @default 'maintenance' */
  name?: string;
  /** @default systemClock */
  clock?: Clock;
  /** @default silentLogger */
  logger?: Logger;
}

const Target = v.union([
  v.literal('app'),
  v.strictObject({ path: v.pipe(v.string(), v.startsWith('/'), v.maxLength(500)) }),
  v.strictObject({ tenantId: v.pipe(v.string(), v.minLength(1), v.maxLength(200)) }),
]);
const Entries = v.pipe(
  v.array(
    v.strictObject({
      target: Target,
      readOnly: v.boolean(),
      retryAfterSeconds: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(604_800)),
      sinceMs: v.number(),
    }),
  ),
  v.maxLength(1000),
);

/** Makes the switch of maintenance. @throws {TypeError} on a bypass token that could be guessed. */
export function createMaintenance({
  store,
  bypassToken,
  refreshMs = 500,
  name = 'maintenance',
  clock = systemClock,
  logger = silentLogger,
}: MaintenanceOptions): Maintenance {
  if (bypassToken !== undefined && bypassToken.length < 16)
    throw new TypeError('bypassToken must have at least 16 characters');
  const bypass = bypassToken === undefined ? undefined : sha256(bypassToken);
  let text: string | undefined;
  let entries: readonly MaintenanceEntry[] = [];
  let storeAway = false;
  let stopping: AbortController | undefined;

  const take = (next: string | undefined) => {
    if (next === text) return;
    entries = next === undefined ? [] : parseEntries(next);
    text = next;
    logger.info({ entries }, 'maintenance changed');
    maintenanceChanged.publish(name, { entries });
  };
  const refresh = async () => {
    try {
      take(await store.read());
      if (storeAway) logger.info({}, 'the maintenance state can be read again');
      storeAway = false;
    } catch (error) {
      if (!storeAway)
        logger.warn({ err: error }, 'the maintenance state cannot be read; the last one holds');
      storeAway = true;
    }
  };
  const poll = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      // Woken early only by the stop.
      await clock.sleep(refreshMs, signal).catch(() => undefined);
      if (!signal.aborted) await refresh();
    }
  };
  /** Others may write at the same time: read, change, and write if it is still what was read. */
  const change = async (
    edit: (now: readonly MaintenanceEntry[]) => readonly MaintenanceEntry[],
  ) => {
    for (;;) {
      const read = await store.read();
      const next = edit(read === undefined ? [] : parseEntries(read));
      const written = next.length === 0 ? undefined : JSON.stringify(v.parse(Entries, next));
      if (await store.replace(read, written)) return take(written);
    }
  };

  return {
    async set(target, { readOnly = false, retryAfterSeconds = 120 } = {}) {
      const entry = { target, readOnly, retryAfterSeconds, sinceMs: clock.now().getTime() };
      if (!v.is(Entries, [entry])) throw new TypeError('this cannot be shut');
      await change((now) => [...now.filter((each) => !isSame(each.target, target)), entry]);
    },
    async clear(target) {
      let found = false;
      await change((now) => {
        const rest = now.filter((each) => !isSame(each.target, target));
        found = rest.length < now.length;
        return rest;
      });
      return found;
    },
    get: () => entries,
    find(request) {
      if (entries.length === 0) return undefined;
      const all = entries.filter((entry) => covers(entry, request));
      return all.find((entry) => !entry.readOnly) ?? all[0];
    },
    isBypass: (token) =>
      bypass !== undefined && token !== undefined && constantTimeEqual(bypass, sha256(token)),
    async start() {
      if (stopping !== undefined) return;
      stopping = new AbortController();
      await refresh();
      void poll(stopping.signal);
    },
    async stop() {
      stopping?.abort('stopped');
      stopping = undefined;
    },
  };
}

function parseEntries(text: string): readonly MaintenanceEntry[] {
  return v.parse(Entries, JSON.parse(text));
}

function isSame(a: MaintenanceTarget, b: MaintenanceTarget): boolean {
  if (a === 'app' || b === 'app') return a === b;
  if ('path' in a) return 'path' in b && a.path === b.path;
  return 'tenantId' in b && a.tenantId === b.tenantId;
}

function covers(
  { target, readOnly }: MaintenanceEntry,
  request: { path: string; tenantId?: string | undefined; reads: boolean },
): boolean {
  if (readOnly && request.reads) return false;
  if (target === 'app') return true;
  if ('tenantId' in target) return target.tenantId === request.tenantId;
  const prefix = target.path.replace(/\/$/, '');
  return request.path === prefix || request.path.startsWith(`${prefix}/`);
}
