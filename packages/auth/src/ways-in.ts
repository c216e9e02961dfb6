import type { Trx } from '@svc/db';
import { sql } from 'kysely';
import { LastWayIn } from './failures.ts';

/** What is about to be taken away. */
export interface WayIn {
  readonly userId: string;
  /** The identity or the passkey. */
  readonly id: string;
  /** The providers by which one can sign in today. @default all that an account is linked to */
  readonly providers?: readonly string[] | undefined;
}

/**
 * Sees to it that something is left to sign in with: a password, an account at a provider, or a passkey that works alone
 * (the authenticator knows the account, and verifies its user). The caller holds the user's row, so that of two who take
 * away the last two ways in, one sees what the other left.
 *
 * @throws {LastWayIn}
 */
export async function assertOtherWayIn(trx: Trx, { userId, id, providers }: WayIn): Promise<void> {
  const linked =
    providers === undefined
      ? sql`provider is not null`
      : sql`provider = any(${[...providers]}::text[])`;
  const result = await sql<{ found: boolean }>`
    select
      exists (select from svc_auth.password_credentials where user_id = ${userId})
      or exists (
        select from svc_auth.passkeys
        where user_id = ${userId} and id <> ${id} and discoverable and user_verified
      )
      or exists (
        select from svc_auth.identities where user_id = ${userId} and id <> ${id} and ${linked}
      ) as found
  `.execute(trx);
  if (result.rows[0]?.found !== true) throw new LastWayIn();
}
