import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createCipher, randomBytes, uuidv7 } from '@svc/core';
import { recordingLogger, testClock } from '@svc/core/testing';
import { afterCommit, type Db } from '@svc/db';
import * as v from 'valibot';
import {
  createWebhooks,
  defineEventType,
  type DeliverPayload,
  type Enqueue,
  type Notice,
  type WebhookAuditEvent,
  type WebhooksOptions,
} from '../src/index.ts';

export const projectCreated = defineEventType({
  type: 'project.created',
  payload: v.object({ id: v.string(), name: v.optional(v.string()) }),
});
export const memberAdded = defineEventType({
  type: 'project.member.added',
  payload: v.object({ id: v.string() }),
});

export const cipher = createCipher({ keys: [{ id: 'k1', secret: 'a'.repeat(40) }] });
export const actor = { type: 'user', id: '0190b0a0-0000-7000-8000-000000000001' } as const;

export interface Received {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Reply {
  status?: number;
  headers?: Record<string, string>;
  body?: string;
  /** Answers when it resolves. */
  after?: Promise<unknown>;
}

/** A receiver on this machine. */
export async function openSink(
  answer: (received: Received) => Reply | undefined = () => undefined,
) {
  const received: Received[] = [];
  const waiting: (() => void)[] = [];
  const server: Server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = {
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      received.push(one);
      for (const wake of waiting.splice(0)) wake();
      void reply(answer(one) ?? {});
    });
    const reply = async ({ status = 200, headers = {}, body = 'ok', after }: Reply) => {
      await after;
      response.writeHead(status, headers).end(body);
    };
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    received,
    /** Resolves with the next that comes. */
    next: () => new Promise<void>((resolve) => waiting.push(resolve)),
    [Symbol.asyncDispose]: () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

interface Job {
  readonly payload: DeliverPayload;
  readonly runAt: Date | undefined;
}

/** Webhooks on a database of the test's, with clock, log and queue in the test's hands. */
export function openWebhooks(db: Db, options: Partial<WebhooksOptions> = {}) {
  const clock = testClock();
  const logger = recordingLogger();
  const jobs: Job[] = [];
  const notices: Notice[] = [];
  const audited: WebhookAuditEvent[] = [];
  const enqueue: Enqueue = async (_, payload, { within, runAt }) =>
    afterCommit(within, () => void jobs.push({ payload, runAt }));
  const webhooks = createWebhooks({
    db,
    enqueue,
    fetch: globalThis.fetch,
    cipher,
    events: [projectCreated, memberAdded],
    allowHttp: true,
    clock,
    logger,
    // Fractions are in the middle, so that there is no jitter.
    random: (size) => (size === 4 ? Buffer.from('80000000', 'hex') : randomBytes(size)),
    notify: async (notice, { within }) => {
      if (!within.isTransaction) throw new TypeError('a notice is told in its transaction');
      notices.push(notice);
    },
    audit: async (event) => void audited.push(event),
    ...options,
  });
  /** Runs what is due, and what that makes due; how many. */
  const work = async (): Promise<number> => {
    let ran = 0;
    for (;;) {
      const due = jobs.filter(({ runAt }) => runAt === undefined || runAt <= clock.now());
      if (due.length === 0) return ran;
      for (const job of due) jobs.splice(jobs.indexOf(job), 1);
      ran += due.length;
      for (const { payload } of due) await webhooks.deliver(payload);
    }
  };
  /** Moves time to the next job and runs it. */
  const workNext = async (): Promise<void> => {
    const next = jobs.reduce<Date | undefined>(
      (soonest, { runAt = clock.now() }) =>
        soonest === undefined || runAt < soonest ? runAt : soonest,
      undefined,
    );
    if (next === undefined) throw new Error('nothing is queued');
    await clock.advance(`${Math.max(0, next.getTime() - clock.now().getTime())}ms`);
    await work();
  };
  const tenantId = uuidv7();
  return {
    webhooks,
    clock,
    logger,
    jobs,
    notices,
    audited,
    tenantId,
    work,
    workNext,
    ...webhooks.forTenant(tenantId, { actor }),
  };
}

/** The failure's code that a promise rejects with. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as { code?: string }).code ?? String(error);
  }
  return 'no failure';
}
