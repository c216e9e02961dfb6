import { type MailRequest, MailRequestSchema } from '@svc/auth';
import { isFailure } from '@svc/core';
import { type AttemptContext, defineTask, exponential, NonRetryable } from '@svc/jobs';
import { type TenancyMailRequest, TenancyMailRequestSchema, TenantNotFound } from '@svc/tenancy';
import { MailRejected } from '@svc/mail';
import { type Deliver, deliverTask } from '@svc/webhooks';
import * as v from 'valibot';
import type { ExportToWrite } from './projects/exports.ts';
import type { DeletionToRun } from './tenants/deletion.ts';
import { NoticeToOwner } from './webhooks/notices.ts';

const Id = v.pipe(v.string(), v.uuid());

/** What the work is done by. */
export interface TaskNeeds {
  sendAuthMail: (mail: MailRequest) => Promise<void>;
  sendTenancyMail: (mail: TenancyMailRequest) => Promise<void>;
  sendWebhookNotice: (notice: NoticeToOwner) => Promise<void>;
  deliverWebhook: Deliver;
  writeExport: (of: ExportToWrite, context: Pick<AttemptContext, 'complete'>) => Promise<void>;
  deleteTenant: (
    of: DeletionToRun,
    context: Pick<AttemptContext, 'signal' | 'logger'>,
  ) => Promise<void>;
  /** Deletes what is over; gives how much of what. */
  purge: () => Promise<Readonly<Record<string, unknown>>>;
}

/** What the app does in the background. A payload says whom and what, never a secret. */
export function createTasks({
  sendAuthMail,
  sendTenancyMail,
  sendWebhookNotice,
  deliverWebhook,
  writeExport,
  deleteTenant,
  purge,
}: TaskNeeds) {
  return [
    defineTask({
      name: 'auth.mail',
      payload: MailRequestSchema,
      run: unlessRejected(sendAuthMail),
      ...mail,
    }),
    defineTask({
      name: 'tenancy.mail',
      payload: TenancyMailRequestSchema,
      run: unlessRejected(sendTenancyMail),
      ...mail,
    }),
    defineTask({
      name: 'webhooks.notice',
      payload: NoticeToOwner,
      run: unlessRejected(sendWebhookNotice),
      ...mail,
      // Nobody waits for it, and an endpoint that goes on and off is news once a day.
      priority: 3,
      uniqueUntil: 'removed',
      keepDone: '1d',
    }),
    defineTask({
      name: deliverTask,
      payload: v.strictObject({ tenantId: Id, deliveryId: Id, turn: v.number() }),
      run: deliverWebhook,
      // The log of deliveries says what became of it, and how often it is tried; what fails here is the database, or us.
      keepDone: false,
      maxAttempts: 1000,
    }),
    defineTask({
      name: 'projects.export',
      payload: v.strictObject({ tenantId: Id, exportId: Id }),
      run: unlessGone(writeExport),
      maxAttempts: 8,
      timeout: '5m',
    }),
    defineTask({
      name: 'tenancy.delete',
      payload: v.strictObject({ tenantId: Id, dueAt: v.pipe(v.string(), v.isoTimestamp()) }),
      run: deleteTenant,
      // A transaction from before holds it up, or the clocks differ a little.
      maxAttempts: 50,
      backoff: exponential({ first: '2s', cap: '1h' }),
      timeout: '1h',
    }),
    defineTask({
      name: 'maintenance.purge',
      payload: v.strictObject({}),
      run: async (_, { logger }) => {
        const purged = await purge();
        logger.info({ purged }, 'what is over was purged');
      },
      maxAttempts: 5,
      timeout: '30m',
    }),
  ] as const;
}

/** Somebody waits for it. What the mail server does not take for half a day it never will. */
const mail = {
  priority: 8,
  maxAttempts: 50,
  backoff: exponential({ first: '1s', cap: '30m' }),
  timeout: '1m',
} as const;

// By name: who delivers takes the token out of an error, and makes a new one.
function unlessRejected<Mail>(send: (mail: Mail) => Promise<void>) {
  return (request: Mail) =>
    send(request).catch((error: unknown) => {
      if (error instanceof Error && error.name === MailRejected.code)
        throw new NonRetryable(error.message);
      throw error;
    });
}

// A tenant that is being deleted does not come back by waiting.
function unlessGone<Of, Context>(work: (of: Of, context: Context) => Promise<void>) {
  return (of: Of, context: Context) =>
    work(of, context).catch((error: unknown) => {
      if (isFailure(error, TenantNotFound)) throw new NonRetryable(error.message);
      throw error;
    });
}
