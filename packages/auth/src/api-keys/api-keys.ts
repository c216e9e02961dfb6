import {
  constantTimeEqual,
  type Duration,
  isUuid,
  sha256,
  toMs,
  ValidationFailed,
} from '@svc/core';
import { type Db, transact, type Trx } from '@svc/db';
import { type AuthAct, record } from '../acts.ts';
import type { AuthContext, WriteOptions } from '../context.ts';
import { AccessDenied, ApiKeyNotFound, TooManyApiKeys } from '../failures.ts';
import { type Principal, sessionOf } from '../principal.ts';
import { queueNotice } from '../security-notice.ts';
import { type ApiKeyRow, tablesOf } from '../tables.ts';
import { lockUser } from '../users.ts';
import { formatKey, parseKey } from './key-format.ts';
import { type ApiKey, endAfter, findAlive, isAlive, revokeKeys, toApiKey } from './queries.ts';
import { createTenantApiKeys, type TenantApiKeys } from './tenant-keys.ts';

export interface NewApiKey {
  name: string;
  /** Permissions that the owner has. */
  scopes: readonly string[];
  /** @default it does not expire */
  expiresIn?: Duration | undefined;
  /** The one tenant in which it is to work, of those that the owner is a member of. @default wherever its owner does; where identities belong to tenants, that of the owner */
  tenantId?: string | undefined;
}

/**
 * Keys for programs: never more than their owner may, at this moment, and never more than their scopes. A key makes,
 * lists and ends no keys: who steals one could outlive its end. @throws {AccessDenied} for one
 */
export interface ApiKeys {
  /** Makes a key; `key` is given out here and never again. @throws {ValidationFailed} @throws {AccessDenied} @throws {TooManyApiKeys} */
  create(
    principal: Principal,
    input: NewApiKey,
    options?: WriteOptions,
  ): Promise<{ key: string; apiKey: ApiKey }>;
  /** Those that work, newest first. */
  list(principal: Principal): Promise<readonly ApiKey[]>;
  /** Ends a key at once. @throws {ApiKeyNotFound} */
  revoke(principal: Principal, id: string, options?: WriteOptions): Promise<void>;
  /** A key in place of another, which works on for `overlap`, 24 hours unless told, at most 30 days. Both count until then. @throws {ApiKeyNotFound} @throws {ValidationFailed} @throws {AccessDenied} @throws {TooManyApiKeys} */
  rotate(
    principal: Principal,
    id: string,
    input?: { overlap?: Duration },
    options?: WriteOptions,
  ): Promise<{ key: string; apiKey: ApiKey }>;
  /** The keys of one tenant, for those who administer it. */
  readonly ofTenant: TenantApiKeys;
}

/** How many keys one user may have. */
const maxKeys = 100;
const maxExpiryMs = toMs('3650d');
// Longer, and what is rotated because it leaked would hardly end.
const maxOverlapMs = toMs('30d');
const touchEveryMs = 60_000;

export interface ApiKeysOptions {
  prefix: string;
  /** Whether somebody may make a key for a tenant; nobody where it is missing. */
  isMember: IsMember | undefined;
}

/** Says whether a user is a member of a tenant, and sees to it that they stay one until the transaction ends: then who removes them finds the key that it makes. */
export type IsMember = (
  userId: string,
  tenantId: string,
  options: { within: Trx },
) => boolean | Promise<boolean>;

export function createApiKeys(context: AuthContext, { prefix, isMember }: ApiKeysOptions): ApiKeys {
  const { clock, newId, random } = context;
  const insert = async (
    db: Db,
    row: Pick<ApiKeyRow, 'user_id' | 'name' | 'scopes' | 'level' | 'expires_at' | 'tenant_id'>,
  ) => {
    const id = newId();
    const key = formatKey(prefix, id, random(32));
    const secret = (parseKey(prefix, key) as { secret: string }).secret;
    const values = { ...row, id, secret_hash: sha256(secret), created_at: clock.now() };
    const made = await tablesOf(db)
      .insertInto('svc_auth.api_keys')
      .values({ ...values, last_used_at: null, revoked_at: null, rotated_to: null })
      .returningAll()
      .executeTakeFirstOrThrow();
    return { key, apiKey: toApiKey(made) };
  };
  const act = (
    type: AuthAct['type'],
    { user_id: userId, tenant_id: tenantId }: Pick<ApiKeyRow, 'user_id' | 'tenant_id'>,
    keyId: string,
  ): AuthAct => ({ type, userId, tenantId, target: { type: 'api_key', id: keyId } });
  // Held to a tenant for good: what a key of another one could do would be more than its owner asked for.
  const tenantFor = ({ user }: Principal, asked: string | undefined) => {
    if (user.tenantId !== null || asked === undefined) {
      if (asked !== undefined && asked.toLowerCase() !== user.tenantId) throw new AccessDenied();
      return user.tenantId;
    }
    if (!isUuid(asked)) throw fault('/tenantId', 'uuid', 'Must be the id of a tenant.');
    return asked.toLowerCase();
  };
  const demandMember = async (
    within: Trx,
    { userId, user }: Principal,
    tenantId: string | null,
  ) => {
    if (tenantId === null || user.tenantId !== null) return;
    // The same for a tenant that does not exist.
    if ((await isMember?.(userId, tenantId, { within })) !== true) throw new AccessDenied();
  };
  // Also of a rotation: the new key outlives the one that is known.
  const tellOwner = (trx: Trx, { user }: Principal) =>
    queueNotice(context, trx, user, 'api_key_created');
  return {
    async create(principal, input, { within, origin } = {}) {
      const session = sessionOf(principal);
      const { name, scopes, expiresInMs } = parseNewKey(context, input);
      // More than the owner has would wait to become a right that nobody gave the key.
      if (scopes.some((scope) => !principal.permissions.has(scope))) throw new AccessDenied();
      const tenantId = tenantFor(principal, input.tenantId);
      const expiresAt = expiresInMs === null ? null : new Date(clock.now().getTime() + expiresInMs);
      const { userId } = principal;
      return transact(within ?? context.db, async (trx) => {
        await lockUser(trx, userId);
        await demandMember(trx, principal, tenantId);
        const whose = { user_id: userId, tenant_id: tenantId };
        const row = { ...whose, name, scopes: [...scopes], expires_at: expiresAt };
        const made = await insert(trx, { ...row, level: session.level });
        await refuseTooMany(trx, userId, clock.now());
        await record(context, trx, act('auth.api_key.created', whose, made.apiKey.id), origin);
        await tellOwner(trx, principal);
        return made;
      });
    },
    async list(principal) {
      sessionOf(principal);
      const rows = await tablesOf(context.db)
        .selectFrom('svc_auth.api_keys')
        .selectAll()
        .where('user_id', '=', principal.userId)
        .where(isAlive(clock.now()))
        .orderBy('id', 'desc')
        .execute();
      return rows.map(toApiKey);
    },
    async revoke(principal, id, { within, origin } = {}) {
      sessionOf(principal);
      await transact(within ?? context.db, async (trx) => {
        const { userId } = principal;
        const ended = await revokeKeys(trx, { id, userId }, clock.now());
        if (ended[0] === undefined) throw new ApiKeyNotFound();
        await record(context, trx, act('auth.api_key.revoked', ended[0], id), origin);
      });
    },
    async rotate(principal, id, { overlap = '24h' } = {}, { within, origin } = {}) {
      const session = sessionOf(principal);
      const { userId } = principal;
      const overlapMs = parseOverlap(overlap);
      return transact(within ?? context.db, async (trx) => {
        await lockUser(trx, userId);
        const now = clock.now();
        const find = (isLocked: boolean) => findAlive(trx, userId, id, { now, isLocked });
        const known = isUuid(id) ? await find(false) : undefined;
        if (known === undefined) throw new ApiKeyNotFound();
        // The membership before the key, in which order who removes a member takes them.
        await demandMember(trx, principal, known.tenant_id);
        const row = await find(true);
        if (row === undefined || row.rotated_to !== null) throw new ApiKeyNotFound();
        if (row.scopes.some((scope) => !principal.permissions.has(scope))) throw new AccessDenied();
        const made = await insert(trx, { ...row, level: session.level });
        await endAfter(trx, row, made.apiKey.id, new Date(now.getTime() + overlapMs));
        await refuseTooMany(trx, userId, now);
        await record(context, trx, act('auth.api_key.rotated', row, id), origin);
        await tellOwner(trx, principal);
        return made;
      });
    },
    ofTenant: createTenantApiKeys(context),
  };
}

/** Whose key it is, while it is alive and its owner may sign in. */
export async function principalOfKey(
  context: AuthContext,
  prefix: string,
  key: string,
): Promise<Principal | null> {
  const parts = parseKey(prefix, key);
  if (parts === null) return null;
  const now = context.clock.now();
  const row = await tablesOf(context.db)
    .selectFrom('svc_auth.api_keys as k')
    .innerJoin('svc_auth.users as u', 'u.id', 'k.user_id')
    .selectAll('u')
    .select(['k.id as key_id', 'k.name as key_name', 'k.secret_hash', 'k.scopes', 'k.level'])
    .select(['k.last_used_at', 'k.tenant_id as key_tenant_id'])
    .where('k.id', '=', parts.id)
    .where('k.revoked_at', 'is', null)
    .where((eb) => eb.or([eb('k.expires_at', 'is', null), eb('k.expires_at', '>', now)]))
    .where('u.disabled_at', 'is', null)
    .where('u.verified_at', 'is not', null)
    .executeTakeFirst();
  if (row === undefined || !constantTimeEqual(row.secret_hash, sha256(parts.secret))) return null;
  await touch(context.db, { id: row.key_id, last_used_at: row.last_used_at }, now);
  const { key_id: id, key_name: name, scopes, level, key_tenant_id: tenantId } = row;
  return context.principalOf(row, { apiKey: { id, name, scopes, level, tenantId } });
}

async function touch(db: Db, key: Pick<ApiKeyRow, 'id' | 'last_used_at'>, now: Date) {
  const due = new Date(now.getTime() - touchEveryMs);
  if (key.last_used_at !== null && key.last_used_at > due) return;
  await tablesOf(db)
    .updateTable('svc_auth.api_keys')
    .set({ last_used_at: now })
    .where('id', '=', key.id)
    // Of the requests of one moment, the first writes.
    .where((eb) => eb.or([eb('last_used_at', 'is', null), eb('last_used_at', '<=', due)]))
    .execute();
}

// The caller holds the user's row, so that two at once count each other.
async function refuseTooMany(db: Db, userId: string, now: Date): Promise<void> {
  const { count } = await tablesOf(db)
    .selectFrom('svc_auth.api_keys')
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .where('user_id', '=', userId)
    .where(isAlive(now))
    .executeTakeFirstOrThrow();
  if (Number(count) > maxKeys) throw new TooManyApiKeys();
}

const fault = (pointer: string, code: string, message: string) =>
  new ValidationFailed([{ pointer, code, message }]);

function parseOverlap(overlap: Duration): number {
  const overlapMs = toMs(overlap);
  if (overlapMs >= 0 && overlapMs <= maxOverlapMs) return overlapMs;
  throw fault('/overlap', 'duration', 'Must be at most 30d.');
}

function parseNewKey({ authorization }: AuthContext, input: NewApiKey) {
  const name = input.name.trim();
  if (name === '' || name.length > 100 || /[\p{Cc}\p{Cs}]/u.test(name))
    throw fault('/name', 'name', 'Must be text of 1 to 100 characters.');
  const scopes = [...new Set(input.scopes)];
  if (scopes.length === 0 || scopes.some((scope) => !authorization.isPermission(scope)))
    throw fault(
      '/scopes',
      'scopes',
      'Must name at least one permission, and only such that exist.',
    );
  const expiresInMs = input.expiresIn === undefined ? null : toMs(input.expiresIn);
  if (expiresInMs !== null && (expiresInMs <= 0 || expiresInMs > maxExpiryMs))
    throw fault('/expiresIn', 'duration', 'Must be more than nothing and at most 3650d.');
  return { name, scopes, expiresInMs };
}
