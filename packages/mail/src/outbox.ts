import { type Clock, systemClock } from '@svc/core';

export interface NextOptions {
  /** Only a mail to this address. @default any */
  to?: string;
  /** How long to wait for it, in milliseconds. @default 5000 */
  timeoutMs?: number;
}

/** Mails that arrived, for tests to wait for. */
export interface Outbox<Mail> {
  /** Every mail since the start or the last `clear`, oldest first, also those handed out by `next`. */
  readonly mails: readonly Mail[];
  /** The oldest mail not handed out yet, as soon as there is one; each is handed out once. @throws {Error} when none comes in time. */
  next(options?: NextOptions): Promise<Mail>;
  /** Forgets what arrived. Those who wait go on waiting. */
  clear(): void;
}

interface Waiter<Mail> {
  fits: (mail: Mail) => boolean;
  take: (mail: Mail) => void;
}

/** An outbox and its entrance. `recipientsOf` says for which addresses a mail is. */
export function createOutbox<Mail>(
  recipientsOf: (mail: Mail) => readonly string[],
  clock: Clock = systemClock,
): Outbox<Mail> & { add(mail: Mail): void } {
  const mails: Mail[] = [];
  const untaken: Mail[] = [];
  const waiters = new Set<Waiter<Mail>>();

  const wait = (fits: Waiter<Mail>['fits'], what: string, timeoutMs: number): Promise<Mail> =>
    new Promise((resolve, reject) => {
      const arrived = new AbortController();
      const waiter: Waiter<Mail> = {
        fits,
        take(mail) {
          waiters.delete(waiter);
          arrived.abort();
          resolve(mail);
        },
      };
      waiters.add(waiter);
      const onTimeUp = () => {
        waiters.delete(waiter);
        reject(new Error(`no mail ${what}arrived within ${timeoutMs} ms`));
      };
      clock.sleep(timeoutMs, arrived.signal).then(onTimeUp, () => {}); // aborted: the mail came first
    });

  return {
    mails,
    add(mail) {
      mails.push(mail);
      const waiter = [...waiters].find(({ fits }) => fits(mail));
      if (waiter === undefined) return void untaken.push(mail);
      waiter.take(mail);
    },
    async next({ to, timeoutMs = 5000 } = {}) {
      const wanted = to?.toLowerCase();
      const fits = (mail: Mail) =>
        wanted === undefined ||
        recipientsOf(mail).some((address) => address.toLowerCase() === wanted);
      const index = untaken.findIndex(fits);
      if (index >= 0) return untaken.splice(index, 1)[0] as Mail;
      return wait(fits, to === undefined ? '' : `to ${to} `, timeoutMs);
    },
    clear() {
      mails.length = 0;
      untaken.length = 0;
    },
  };
}
