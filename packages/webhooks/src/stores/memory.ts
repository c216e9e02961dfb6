import { type Clock, systemClock } from '@svc/core';
import type { InboxKey, WebhookInbox } from '../incoming/inbox.ts';

interface Entry {
  readonly token: string;
  readonly isDone: boolean;
  readonly untilMs: number;
}

/** Remembers in this process: for one process, and until it ends. Within a transaction it is done at once. */
export function memoryInbox({ clock = systemClock }: { clock?: Clock } = {}): WebhookInbox {
  const entries = new Map<string, Entry>();
  const keyOf = ({ source, id }: InboxKey) => JSON.stringify([source, id]);
  const live = (key: InboxKey) => {
    const entry = entries.get(keyOf(key));
    return entry !== undefined && entry.untilMs > clock.elapsedMs() ? entry : undefined;
  };
  return {
    async claim({ token, leaseMs, ...key }) {
      const entry = live(key);
      if (entry !== undefined) return entry.isDone ? 'done' : 'busy';
      entries.set(keyOf(key), { token, isDone: false, untilMs: clock.elapsedMs() + leaseMs });
      return 'claimed';
    },
    async finish({ token, keepMs, ...key }) {
      const entry = entries.get(keyOf(key));
      if (entry === undefined || entry.token !== token || entry.isDone) return false;
      entries.set(keyOf(key), { token, isDone: true, untilMs: clock.elapsedMs() + keepMs });
      return true;
    },
    async release({ token, ...key }) {
      const entry = entries.get(keyOf(key));
      if (entry?.token === token && !entry.isDone) entries.delete(keyOf(key));
    },
    async purge() {
      const before = entries.size;
      for (const [key, { untilMs }] of entries)
        if (untilMs <= clock.elapsedMs()) entries.delete(key);
      return before - entries.size;
    },
  };
}
