import type { Trx } from '@svc/db';
import type { AuthContext } from './context.ts';
import type { SecurityChange } from './mails.ts';

/** Tells the owner at the address on file now, which somebody else may change before the mail is sent. */
export async function queueNotice(
  context: AuthContext,
  trx: Trx,
  { id: userId, email }: { id: string; email: string },
  change: SecurityChange,
): Promise<void> {
  const request = { template: 'security_notice', userId, email, change } as const;
  await context.queueMail(request, { within: trx });
}
