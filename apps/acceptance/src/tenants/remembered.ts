import { type Clock, toMs } from '@svc/core';

const keepMs = toMs('1s');
const mostRemembered = 10_000;

/** What every request of a tenant asks, read once a second at most: what another process changes is in force a second later. */
export interface Remembered<Value> {
  of(tenantId: string): Promise<Value>;
  /** It has changed. */
  forget(tenantId: string): void;
}

export function remembered<Value>(
  read: (tenantId: string) => Promise<Value>,
  clock: Clock,
): Remembered<Value> {
  const known = new Map<string, { value: Promise<Value>; until: number }>();
  return {
    of(tenantId) {
      const found = known.get(tenantId);
      if (found !== undefined && found.until > clock.elapsedMs()) return found.value;
      const value = read(tenantId);
      const entry = { value, until: clock.elapsedMs() + keepMs };
      known.delete(tenantId);
      known.set(tenantId, entry);
      // A failure is nothing to remember.
      value.catch(() => known.get(tenantId) === entry && known.delete(tenantId));
      for (const oldest of known.keys()) {
        if (known.size <= mostRemembered) break;
        known.delete(oldest);
      }
      return value;
    },
    forget: (tenantId) => void known.delete(tenantId),
  };
}
