import { isFailure, ValidationFailed } from '@svc/core';
import type { Trx } from '@svc/db';
import { record } from '../acts.ts';
import type { AuthContext } from '../context.ts';
import type { EmailAddress } from '../email.ts';
import { InvalidCredentials } from '../failures.ts';
import { type ScopedEmail, scopedEmail } from '../identity-scope.ts';
import { usableName } from '../name.ts';
import type { Origin } from '../origin.ts';
import { queueNotice } from '../security-notice.ts';
import { tablesOf, type UserRow } from '../tables.ts';
import { claimAddress, findUser, markVerified } from '../users.ts';
import { EmailMissing, IdentityNotLinked, IdentityTaken } from './failures.ts';
import { addIdentity, findIdentity } from './identities.ts';
import type { OAuthProvider, Profile } from './provider.ts';

/** Why a provider's account became somebody's; stands in the audit log. */
type LinkedBy = 'owner' | 'trusted_email' | 'registration';

/** An identity and whose it is. */
export interface Owned {
  readonly identityId: string;
  readonly userId: string;
}

/**
 * Whose account it is. The key is issuer and subject; an e-mail address decides only the first time, and only where
 * the provider has verified it: for an address that somebody has proven here, if the provider is trusted for its
 * domain; for one that nobody has, if the provider may open accounts.
 *
 * @throws {IdentityNotLinked} @throws {EmailMissing} @throws {InvalidCredentials}
 */
export async function resolveOwner(
  context: AuthContext,
  trx: Trx,
  {
    provider,
    profile,
    tenantId,
  }: { provider: OAuthProvider; profile: Profile; tenantId: string | null },
  origin: Origin,
): Promise<Owned> {
  const known = await findIdentity(trx, profile, tenantId);
  if (known !== undefined) return owned(known);
  const email = usableEmail(profile, tenantId);
  const isTrusted = isTrustedFor(profile, email);
  // Before any look at who has the address: the answer must not tell that somebody has it.
  const mayClaim = provider.newAccounts === 'verified' || isTrusted;
  if (!profile.emailVerified || !mayClaim) throw new IdentityNotLinked();
  const id = context.newId();
  // Also the lock by which two first sign-ins with one address take turns.
  const claimed = await claimAddress(trx, { id, email, now: context.clock.now() });
  if (claimed.disabled_at !== null) throw new InvalidCredentials();
  const isProven = claimed.verified_at !== null;
  if (isProven && !isTrusted) {
    // Another browser of the same person may have opened the account while this one waited for the lock.
    const meanwhile = await findIdentity(trx, profile, tenantId);
    if (meanwhile === undefined) throw new IdentityNotLinked();
    return owned(meanwhile);
  }
  if (!isProven) {
    if (provider.newAccounts === 'never') throw new IdentityNotLinked();
    await handOver(context, trx, claimed, { isNew: claimed.id === id, profile }, origin);
  }
  const by = isProven ? 'trusted_email' : 'registration';
  return linkTo(context, trx, { user: claimed, provider, profile, by }, origin);
}

/** Links a provider's account to the one who asked for it. @throws {IdentityTaken} */
export async function linkToOwner(
  context: AuthContext,
  trx: Trx,
  link: { userId: string; provider: OAuthProvider; profile: Profile },
  origin: Origin,
): Promise<Owned> {
  const { userId, provider, profile } = link;
  const user = await findUser(trx, userId);
  const linked = await linkTo(context, trx, { user, provider, profile, by: 'owner' }, origin);
  if (linked.userId !== userId) throw new IdentityTaken();
  return linked;
}

async function linkTo(
  context: AuthContext,
  trx: Trx,
  link: { user: UserRow; provider: OAuthProvider; profile: Profile; by: LinkedBy },
  origin: Origin,
): Promise<Owned> {
  const { user, provider, profile, by } = link;
  const added = await addIdentity(trx, {
    id: context.newId(),
    userId: user.id,
    provider: provider.id,
    profile,
    tenantId: user.tenant_id,
    now: context.clock.now(),
  });
  if (added === undefined) {
    const known = await findIdentity(trx, profile, user.tenant_id);
    if (known === undefined) throw new IdentityNotLinked();
    return owned(known);
  }
  const details = { provider: provider.id, by };
  await record(context, trx, { type: 'auth.identity.linked', userId: user.id, details }, origin);
  // Also for a new account: whoever has the mailbox learns that somebody opened one.
  await queueNotice(context, trx, user, 'identity_linked');
  return owned(added);
}

// Nobody has proven the address here: a password that waits, or was imported, may be a stranger's, who would keep
// a way in (account pre-hijacking, Sudhodanan and Paverd 2022).
async function handOver(
  context: AuthContext,
  trx: Trx,
  user: UserRow,
  { isNew, profile }: { isNew: boolean; profile: Profile },
  origin: Origin,
): Promise<void> {
  const { id: userId } = user;
  if (!isNew) {
    await context.tokens.forgetPending(trx, userId);
    const tables = tablesOf(trx);
    await tables
      .deleteFrom('svc_auth.password_credentials')
      .where('user_id', '=', userId)
      .execute();
    await tables.deleteFrom('svc_auth.identities').where('user_id', '=', userId).execute();
    await context.sessions.revokeAll(trx, userId, 'revoked');
  }
  const name = usableName(profile.name);
  const verified = await markVerified(trx, userId, context.clock.now(), name);
  if (verified === undefined) throw new InvalidCredentials();
  const type = isNew ? 'auth.user.registered' : 'auth.user.verified';
  await record(context, trx, { type, userId }, origin);
}

function usableEmail({ email }: Profile, tenantId: string | null): ScopedEmail {
  if (email === null) throw new EmailMissing();
  try {
    return scopedEmail(email, tenantId);
  } catch (error) {
    if (isFailure(error, ValidationFailed)) throw new EmailMissing();
    throw error;
  }
}

function isTrustedFor(profile: Profile, { normalized }: EmailAddress): boolean {
  return (
    profile.emailVerified && profile.vouchesFor(normalized.slice(normalized.lastIndexOf('@') + 1))
  );
}

const owned = ({ id, user_id }: { id: string; user_id: string }): Owned => ({
  identityId: id,
  userId: user_id,
});
