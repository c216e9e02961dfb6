import { uuidv7 } from '@svc/core';
import { recordingLogger, testClock } from '@svc/core/testing';
import type { Db } from '@svc/db';
import {
  createTenancy,
  type DefaultRole,
  type TenancyAuditEvent,
  type TenancyMail,
  type TenancyOptions,
} from '../src/index.ts';

let people = 0;
/** Somebody with an id and a verified address that nobody else in this file has. */
export const somebody = () => ({ userId: uuidv7(), email: `person${++people}@example.com` });
export type Somebody = ReturnType<typeof somebody>;

/** Tenants on a database of the test's, with a clock, a log, an audit log and a mailbox in the test's hands. */
export function openTenancy(db: Db, options: Partial<TenancyOptions> = {}) {
  const clock = testClock();
  const logger = recordingLogger();
  const mails: TenancyMail[] = [];
  const audited: TenancyAuditEvent[] = [];
  const tenancy = createTenancy({
    db,
    sendMail: async (mail) => void mails.push(mail),
    publicUrl: 'https://app.example.com',
    appName: 'Projects',
    audit: async (event, { within }) => {
      if (!within.isTransaction) throw new TypeError('an act is audited in its transaction');
      audited.push(event);
    },
    clock,
    logger,
    ...options,
  });
  /** The token of the newest mail to an address. */
  const tokenOf = (email: string): string => {
    const mail = mails.findLast(({ to }) => to === email);
    if (mail === undefined) throw new Error('no mail to this address');
    return new URL(mail.data.link).searchParams.get('token') ?? '';
  };
  const tenant = async (name = 'Acme') => {
    const owner = somebody();
    const { id } = await tenancy.tenants.create({ name }, { ownerId: owner.userId });
    const add = async (role: DefaultRole): Promise<Somebody> => {
      const person = somebody();
      await tenancy.invitations.create(id, { email: person.email, role }, { by: owner.userId });
      await tenancy.invitations.accept({ token: tokenOf(person.email), ...person });
      return person;
    };
    return {
      id,
      owner,
      /** A new member, who was invited by the owner. */
      add,
    };
  };
  return { tenancy, clock, logger, mails, audited, tokenOf, tenant };
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

/** How many of these promises were fulfilled, and the codes of the others. */
export async function tally(promises: readonly Promise<unknown>[]) {
  const results = await Promise.allSettled(promises);
  const codes = results.flatMap((each) =>
    each.status === 'rejected' ? [(each.reason as { code?: string }).code ?? each.reason] : [],
  );
  return { fulfilled: results.length - codes.length, codes: [...new Set(codes)] };
}
