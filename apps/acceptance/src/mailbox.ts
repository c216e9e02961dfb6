import { parseEmail } from '@svc/auth';
import { isFailure, ValidationFailed } from '@svc/core';
import { validated } from '@svc/http/hono';
import type { Context } from 'hono';
import * as v from 'valibot';

/** A mailbox as far as it can be told from an address: what stands behind a `+` mostly leads to the same one. @throws {ValidationFailed} */
const toMailbox = (email: string): string =>
  parseEmail(email).normalized.replace(/\+[^@]*(?=@)/, '');

// Read as the routes read it, so that no body means one address here and another there.
const readBody = validated('json', v.looseObject({ email: v.optional(v.unknown()) }));

/** The mailbox that the body of a request names; `undefined` where the route will refuse what it says. */
export async function mailboxIn(c: Context): Promise<string | undefined> {
  try {
    await readBody(c, async () => undefined);
    const { email } = c.req.valid('json' as never) as { email?: unknown };
    return typeof email === 'string' ? toMailbox(email) : undefined;
  } catch (error) {
    // The route says more of what is wrong.
    if (isFailure(error, ValidationFailed)) return undefined;
    throw error;
  }
}
