import { isUuid } from '@svc/core';
import { type Db, transact } from '@svc/db';
import { record } from '../acts.ts';
import type { AuthContext, WriteOptions } from '../context.ts';
import { plainIssuer, scopedIssuer } from '../identity-scope.ts';
import { queueNotice } from '../security-notice.ts';
import { type IdentityRow, tablesOf } from '../tables.ts';
import { lockUser } from '../users.ts';
import { assertOtherWayIn } from '../ways-in.ts';
import { IdentityNotFound } from './failures.ts';
import type { Profile } from './provider.ts';
import type { ProviderTokens } from './provider-client.ts';

/** An account at a provider by which a user signs in. */
export interface Identity {
  readonly id: string;
  readonly provider: string;
  readonly issuer: string;
  readonly subject: string;
  /** The address that the provider told last; proves nothing. */
  readonly email: string | null;
  readonly createdAt: Date;
  readonly lastUsedAt: Date | null;
}

type FederatedRow = IdentityRow & { provider: string };

export function toIdentity(row: FederatedRow): Identity {
  return {
    id: row.id,
    provider: row.provider,
    issuer: plainIssuer(row.issuer),
    subject: row.subject,
    email: row.email,
    createdAt: row.created_at,
    lastUsedAt: row.last_used_at,
  };
}

/** Those of providers: the one of a password is no identity to its owner. */
function federated(db: Db, userId: string) {
  return tablesOf(db)
    .selectFrom('svc_auth.identities')
    .selectAll()
    .where('user_id', '=', userId)
    .where('provider', 'is not', null)
    .$narrowType<{ provider: string }>();
}

export async function listIdentities(db: Db, userId: string): Promise<readonly Identity[]> {
  return (await federated(db, userId).orderBy('id').execute()).map(toIdentity);
}

/** Whose account at a provider it is, in this tenant; nothing comes back when nobody has it. */
export function findIdentity(
  db: Db,
  { issuer, subject }: Profile,
  tenantId: string | null,
): Promise<{ id: string; user_id: string } | undefined> {
  return tablesOf(db)
    .selectFrom('svc_auth.identities')
    .select(['id', 'user_id'])
    .where('issuer', '=', scopedIssuer(issuer, tenantId))
    .where('subject', '=', subject)
    .executeTakeFirst();
}

/** Links a provider's account to a user. Nothing comes back when somebody has it: of any number at once, one gets it. */
export function addIdentity(
  db: Db,
  identity: {
    id: string;
    userId: string;
    provider: string;
    profile: Profile;
    tenantId: string | null;
    now: Date;
  },
): Promise<{ id: string; user_id: string } | undefined> {
  const { id, userId, provider, profile, tenantId, now } = identity;
  return tablesOf(db)
    .insertInto('svc_auth.identities')
    .values({
      id,
      user_id: userId,
      issuer: scopedIssuer(profile.issuer, tenantId),
      subject: profile.subject,
      created_at: now,
      provider,
    })
    .onConflict((conflict) => conflict.columns(['issuer', 'subject']).doNothing())
    .returning(['id', 'user_id'])
    .executeTakeFirst();
}

/**
 * Notes that an identity was used, and what came with it; the tokens encrypted. The last statement of a sign-in: the
 * user's row is locked before, in the order in which a first sign-in locks them.
 */
export async function noteUse(
  context: AuthContext,
  trx: Db,
  use: { identityId: string; provider: string; profile: Profile; tokens: ProviderTokens | null },
): Promise<void> {
  const { identityId, provider, profile, tokens } = use;
  const seal = () => context.cipher().seal(JSON.stringify(tokens), tokenContext(identityId));
  await tablesOf(trx)
    .updateTable('svc_auth.identities')
    .set({
      provider,
      // Bounded, because nobody else has looked at it.
      email: profile.email?.slice(0, 254) ?? null,
      last_used_at: context.clock.now(),
      ...(tokens !== null && { tokens_sealed: seal() }),
    })
    .where('id', '=', identityId)
    .execute();
}

/** Takes a provider's account away from its user. `providers` are those by which one can sign in today. */
export async function unlinkIdentity(
  context: AuthContext,
  input: { userId: string; identityId: string; providers: readonly string[] },
  { within, origin }: WriteOptions = {},
): Promise<void> {
  const { userId, identityId, providers } = input;
  if (!isUuid(identityId)) throw new IdentityNotFound();
  await transact(within ?? context.db, async (trx) => {
    const user = await lockUser(trx, userId);
    const found = await federated(trx, userId).where('id', '=', identityId).executeTakeFirst();
    if (found === undefined) throw new IdentityNotFound();
    await assertOtherWayIn(trx, { userId, id: identityId, providers });
    await tablesOf(trx).deleteFrom('svc_auth.identities').where('id', '=', identityId).execute();
    const details = { provider: found.provider };
    await record(context, trx, { type: 'auth.identity.unlinked', userId, details }, origin);
    await queueNotice(context, trx, user, 'identity_unlinked');
  });
}

/** The provider's tokens, where they are kept. @throws {IdentityNotFound} */
export async function readTokens(
  context: AuthContext,
  userId: string,
  identityId: string,
): Promise<ProviderTokens | null> {
  const row = isUuid(identityId)
    ? await federated(context.db, userId).where('id', '=', identityId).executeTakeFirst()
    : undefined;
  if (row === undefined) throw new IdentityNotFound();
  if (row.tokens_sealed === null) return null;
  const opened = context.cipher().open(row.tokens_sealed, tokenContext(identityId));
  const tokens = JSON.parse(opened) as Omit<ProviderTokens, 'expiresAt'> & {
    expiresAt: string | null;
  };
  return {
    ...tokens,
    expiresAt: tokens.expiresAt === null ? null : new Date(tokens.expiresAt),
  };
}

const tokenContext = (identityId: string) => `svc_auth.identities ${identityId}`;
