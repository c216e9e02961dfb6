import { type Clock, systemClock } from '@svc/core';
import { createOutbox, type Outbox } from '../outbox.ts';
import type { MailTransport, OutgoingMail } from '../transport.ts';

export interface MemoryTransport extends MailTransport {
  /** What was sent. */
  readonly outbox: Outbox<OutgoingMail>;
}

/** Keeps mail in the process, for tests: `await transport.outbox.next({ to })`. */
export function memoryTransport({ clock = systemClock }: { clock?: Clock } = {}): MemoryTransport {
  const outbox = createOutbox<OutgoingMail>(({ to }) => [to.address], clock);
  return {
    name: 'memory',
    outbox,
    async send(mail, { signal } = {}) {
      signal?.throwIfAborted();
      outbox.add(mail);
    },
    async verify() {},
  };
}
