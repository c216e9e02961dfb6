import type { Clock, Logger } from '@svc/core';
import { connectionLost } from '../events.ts';
import { DatabaseUnavailable } from '../failures.ts';
import { installed } from '../installed.ts';
import type { Sessions } from '../session.ts';
import { openSlot, type Slot } from './slot.ts';

export interface OpenPostgresOptions {
  url: string;
  max: number;
  connectTimeoutMs: number;
  acquireTimeoutMs: number;
  statementTimeoutMs: number | undefined;
  role: string | undefined;
  name: string;
  clock: Clock;
  logger: Logger;
}

interface Waiter {
  give(slot: Slot): void;
  refuse(error: unknown): void;
}

const closeTimeoutMs = 5000;
// Nobody reads it; without one each abort makes a DOMException with a stack, a tenth of a busy process's time.
const served = 'served';

/** A pool of connections to PostgreSQL, with one of them open. */
export async function openPostgres(options: OpenPostgresOptions): Promise<Sessions> {
  const { default: postgres } = await installed('postgres', () => import('postgres'));
  const pool = createPool(options, (onDeath, onNotify) =>
    openSlot({ postgres, onDeath, ...(onNotify === undefined ? {} : { onNotify }), ...options }),
  );
  pool.release(await pool.acquire());
  return pool;
}

function createPool(
  { max, acquireTimeoutMs, name, clock, logger }: OpenPostgresOptions,
  open: (onDeath: (slot: Slot) => void, onNotify?: () => void) => Promise<Slot>,
): Sessions {
  const live = new Set<Slot>();
  const idle: Slot[] = [];
  const waiters: Waiter[] = [];
  let opening = 0;
  let closing: Promise<void> | undefined;
  let onDrained: (() => void) | undefined;

  const removeIdle = (slot: Slot) => {
    const index = idle.indexOf(slot);
    if (index >= 0) idle.splice(index, 1);
  };
  const onDeath = (slot: Slot) => {
    if (!live.delete(slot)) return;
    if (closing === undefined) {
      logger.warn({ open: live.size }, 'a database connection was lost');
      connectionLost.publish(name, { open: live.size });
    }
    removeIdle(slot);
    serveWaiters();
    if (live.size === 0) onDrained?.();
  };
  const openOne = async () => {
    opening += 1;
    try {
      const slot = await open(onDeath);
      if (closing !== undefined) {
        await slot.end();
        throw closedError();
      }
      // It may have died between its first answer and here.
      if (slot.dead) throw new DatabaseUnavailable();
      live.add(slot);
      return slot;
    } finally {
      opening -= 1;
    }
  };
  const openForCaller = async () => {
    try {
      return await openOne();
    } catch (error) {
      // The place is free again, and those who wait for it do not come by again.
      serveWaiters();
      throw error;
    }
  };
  const put = (slot: Slot) => {
    const waiter = waiters.shift();
    if (waiter === undefined) idle.push(slot);
    else waiter.give(slot);
  };
  // A slot that died leaves room which nobody would fill: those who wait do not come by again.
  const serveWaiters = () => {
    if (closing !== undefined) return;
    for (
      let room = Math.min(max - live.size - opening, waiters.length - opening);
      room > 0;
      room -= 1
    ) {
      openOne().then(put, (error: unknown) => {
        waiters.shift()?.refuse(error);
        serveWaiters();
      });
    }
  };
  const wait = () =>
    new Promise<Slot>((resolve, reject) => {
      const timer = new AbortController();
      const waiter: Waiter = {
        give(slot) {
          timer.abort(served);
          resolve(slot);
        },
        refuse(error) {
          timer.abort(served);
          reject(error);
        },
      };
      waiters.push(waiter);
      clock.sleep(acquireTimeoutMs, timer.signal).then(
        () => {
          const index = waiters.indexOf(waiter);
          if (index >= 0) waiters.splice(index, 1);
          reject(
            new DatabaseUnavailable(undefined, {
              cause: new Error(`no connection became free within ${acquireTimeoutMs} ms`),
            }),
          );
        },
        () => {}, // Served in time.
      );
    });

  const drained = () =>
    new Promise<void>((resolve) => {
      onDrained = resolve;
      if (live.size === 0) resolve();
    });
  const shutDown = async () => {
    for (const waiter of waiters.splice(0)) waiter.refuse(closedError());
    const ends = [...idle.splice(0), ...listeners].map((slot) => slot.end());
    const deadline = new AbortController();
    const late = clock.sleep(closeTimeoutMs, deadline.signal).then(
      () => {
        for (const slot of live) slot.kill();
      },
      () => {}, // All came back in time.
    );
    await Promise.race([drained(), late]);
    deadline.abort();
    await Promise.all(ends);
  };

  const listeners = new Set<Slot>();

  return {
    async listen(channel, { onNotify, onLost }) {
      if (closing !== undefined) throw closedError();
      let isOver = false;
      const end = () => {
        if (!isOver) onLost();
        isOver = true;
      };
      // Beside the pool: it waits for ever, and what is lost is told to its owner alone.
      const slot = await open((dead) => {
        listeners.delete(dead);
        end();
      }, onNotify);
      listeners.add(slot);
      const close = async () => {
        isOver = true;
        listeners.delete(slot);
        await slot.end();
      };
      try {
        await slot.run(`listen "${channel}"`, []);
      } catch (error) {
        await close();
        throw error;
      }
      if (slot.dead) throw new DatabaseUnavailable();
      return { [Symbol.asyncDispose]: close };
    },
    async acquire() {
      if (closing !== undefined) throw closedError();
      const slot = idle.pop();
      if (slot !== undefined) return slot;
      if (live.size + opening < max) return openForCaller();
      return wait();
    },
    release(session) {
      const slot = session as Slot;
      if (slot.dead) return;
      if (closing === undefined) put(slot);
      else void slot.end();
    },
    onBegin() {},
    figures: () => ({
      max,
      open: live.size + opening,
      idle: idle.length,
      busy: live.size + opening - idle.length,
      waiting: waiters.length,
    }),
    close() {
      // `closing` must be set before waiters are refused, or they would be served again.
      closing ??= Promise.resolve().then(shutDown);
      return closing;
    },
  };
}

const closedError = () => new Error('The database connection is closed.');
