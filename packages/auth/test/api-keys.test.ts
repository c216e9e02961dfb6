import * as fc from 'fast-check';
import { databaseTest, describeDatabases } from '@svc/db/testing';
import type { Db } from '@svc/db';
import { sql } from 'kysely';
import { describe, expect, test as pure } from 'vitest';
import { formatKey, parseKey } from '../src/api-keys/key-format.ts';
import { createAuthorization } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { codeOf, openAuth, tally } from './open-auth.ts';

const authorization = createAuthorization({
  permissions: ['project.read', 'project.write'],
  roles: { user: ['project.read', 'project.write'] },
});

describe('the form of a key', () => {
  const id = '01900000-0000-7000-8000-000000000001';
  const key = formatKey('svc', id, new Uint8Array(32).fill(7));

  pure('is letters and digits in three parts, and parses back', () => {
    expect(key).toMatch(/^svc_[0-9A-Za-z]{22}_[0-9A-Za-z]{49}$/);
    expect(parseKey('svc', key)).toEqual({ id, secret: key.slice(27, 70) });
    fc.assert(
      fc.property(
        fc.uuid({ version: 7 }),
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        (any, bytes) => {
          expect(parseKey('acme', formatKey('acme', any, bytes))?.id).toBe(any);
        },
      ),
    );
  });

  pure('is refused with any one character changed, and so is all that is no key', () => {
    for (let at = 0; at < key.length; at += 1) {
      const other = key[at] === 'a' ? 'b' : 'a';
      expect(parseKey('svc', key.slice(0, at) + other + key.slice(at + 1)), `${at}`).toBeNull();
    }
    fc.assert(fc.property(fc.string(), (text) => parseKey('svc', text) === null));
    expect(parseKey('other', key)).toBeNull();
  });
});

describeDatabases('API keys', [authMigrations], (test) => {
  test('a key signs in as its owner with its scopes only, and shows once', async ({ db }) => {
    const { auth, session } = openAuth(db, { authorization });
    const { principal } = await session();
    const input = { name: ' Nightly ', scopes: ['project.read'] };
    const { key, apiKey } = await auth.apiKeys.create(principal, input);
    const used = await auth.authenticate(key);
    expect(used).toMatchObject({
      userId: principal.userId,
      session: null,
      apiKey: { id: apiKey.id },
    });
    expect([...(used?.permissions ?? [])]).toEqual(['project.read']);
    const listed = await auth.apiKeys.list(principal);
    expect(listed).toMatchObject([{ id: apiKey.id, name: 'Nightly', scopes: ['project.read'] }]);
    expect(JSON.stringify(listed)).not.toContain(key.slice(27));
  });

  test('it never has more than its owner has at that moment', async ({ db }) => {
    const { auth, session } = openAuth(db, { authorization });
    const { email, principal, user } = await session();
    const asked = { name: 'x', scopes: ['user.read'] };
    expect(await codeOf(auth.apiKeys.create(principal, asked))).toBe('auth.access_denied');
    await setUser(db, user.id, { roles: ['support'] });
    const staff = (await session(email)).principal;
    const { key } = await auth.apiKeys.create(staff, asked);
    expect((await auth.authenticate(key))?.permissions.has('user.read')).toBe(true);
    await setUser(db, user.id, { roles: [] });
    expect((await auth.authenticate(key))?.permissions.size).toBe(0);
  });

  test('a role that needs a second factor brings nothing to a key made without one', async ({
    db,
  }) => {
    const { auth, session } = openAuth(db, { authorization, mfa: { requiredFor: ['support'] } });
    const { email, principal, user } = await session();
    await setUser(db, user.id, { roles: ['support'] });
    const half = (await session(email)).principal;
    expect([half.roles, half.withheldRoles]).toEqual([['user'], ['support']]);
    const { key } = await auth.apiKeys.create(principal, { name: 'x', scopes: ['project.read'] });
    await db
      .updateTable('svc_auth.api_keys')
      .set({ scopes: ['user.read', 'project.read'] })
      .execute();
    expect([...((await auth.authenticate(key))?.permissions ?? [])]).toEqual(['project.read']);
  });

  test('it ends with its owner, its time, and its revocation, and never works changed', async ({
    db,
  }) => {
    const { auth, session, clock } = openAuth(db, { authorization });
    const { principal, user } = await session();
    const make = async (expiresIn?: '1h') =>
      auth.apiKeys.create(principal, { name: 'x', scopes: ['project.read'], expiresIn });
    const [kept, short, revoked] = [await make(), await make('1h'), await make()];
    await auth.apiKeys.revoke(principal, revoked.apiKey.id);
    expect(await auth.authenticate(revoked.key)).toBeNull();
    await clock.advance('1h');
    expect(await auth.authenticate(short.key)).toBeNull();
    expect(await auth.authenticate(kept.key)).not.toBeNull();
    const forged = formatKey('svc', kept.apiKey.id, new Uint8Array(32));
    expect(await auth.authenticate(forged)).toBeNull();
    await setUser(db, user.id, { disabled_at: new Date(0) });
    expect(await auth.authenticate(kept.key)).toBeNull();
    await setUser(db, user.id, { disabled_at: null });
    expect(await auth.authenticate(kept.key)).not.toBeNull();
  });

  test('its use is noted at most once a minute', async ({ db }) => {
    const { auth, session, clock } = openAuth(db, { authorization });
    const { principal } = await session();
    const { key } = await auth.apiKeys.create(principal, { name: 'x', scopes: ['project.read'] });
    const used = async () => (await auth.apiKeys.list(principal))[0]?.lastUsedAt;
    expect(await used()).toBeNull();
    await auth.authenticate(key);
    const first = clock.now();
    await clock.advance('59s');
    await auth.authenticate(key);
    expect(await used()).toEqual(first);
    await clock.advance('1s');
    await auth.authenticate(key);
    expect(await used()).toEqual(clock.now());
  });

  test('a rotated key works on for the overlap beside the new one, and is rotated once', async ({
    db,
  }) => {
    const { auth, session, clock } = openAuth(db, { authorization });
    const { principal } = await session();
    const old = await auth.apiKeys.create(principal, { name: 'x', scopes: ['project.read'] });
    const next = await auth.apiKeys.rotate(principal, old.apiKey.id, { overlap: '1h' });
    expect(next.apiKey).toMatchObject({ name: 'x', scopes: ['project.read'], expiresAt: null });
    expect(await auth.authenticate(old.key)).not.toBeNull();
    expect(await auth.authenticate(next.key)).not.toBeNull();
    expect(await codeOf(auth.apiKeys.rotate(principal, old.apiKey.id))).toBe(
      'auth.api_key_not_found',
    );
    await clock.advance('1h');
    expect(await auth.authenticate(old.key)).toBeNull();
    expect(await auth.authenticate(next.key)).not.toBeNull();
  });

  test('keys that have ended are neither listed nor counted', async ({ db }) => {
    const { auth, session, clock } = openAuth(db, { authorization });
    const { principal } = await session();
    const input = { name: 'x', scopes: ['project.read'] };
    await auth.apiKeys.create(principal, { ...input, expiresIn: '1h' });
    const { apiKey } = await auth.apiKeys.create(principal, input);
    await sql`
      insert into svc_auth.api_keys (id, user_id, name, secret_hash, scopes, level, created_at, expires_at)
      select gen_random_uuid(), user_id, name, secret_hash, scopes, level, created_at, expires_at
      from svc_auth.api_keys, generate_series(1, 98) where expires_at is not null
    `.execute(db);
    const listed = async () => (await auth.apiKeys.list(principal)).length;
    expect(await listed()).toBe(100);
    expect(await codeOf(auth.apiKeys.create(principal, input))).toBe('auth.too_many_api_keys');
    expect(await codeOf(auth.apiKeys.rotate(principal, apiKey.id))).toBe('auth.too_many_api_keys');
    expect(await listed()).toBe(100);
    await auth.apiKeys.rotate(principal, apiKey.id, { overlap: '0s' });
    await clock.advance('1h');
    expect(await listed()).toBe(1);
    await auth.apiKeys.create(principal, input);
  });

  test('a rotation is mailed to the owner, and lets the former key live for 30 days at most', async ({
    db,
  }) => {
    const { auth, session, outbox } = openAuth(db, { authorization });
    const { principal, email } = await session();
    const input = { name: 'x', scopes: ['project.read'] };
    const { apiKey } = await auth.apiKeys.create(principal, input);
    await outbox.next('security_notice', email);
    expect(await codeOf(auth.apiKeys.rotate(principal, apiKey.id, { overlap: '721h' }))).toBe(
      'core.validation_failed',
    );
    await auth.apiKeys.rotate(principal, apiKey.id, { overlap: '30d' });
    const { data } = await outbox.next('security_notice', email);
    expect(data.change).toBe('api_key_created');
  });

  test('a key makes, rotates and revokes no keys', async ({ db }) => {
    const { auth, session } = openAuth(db, { authorization });
    const { principal } = await session();
    const input = { name: 'x', scopes: ['project.read'] };
    const { key, apiKey } = await auth.apiKeys.create(principal, input);
    const used = await auth.authenticate(key);
    if (used === null) throw new Error('the key does not work');
    expect(await codeOf(auth.apiKeys.create(used, input))).toBe('auth.access_denied');
    expect(await codeOf(Promise.resolve().then(() => auth.apiKeys.revoke(used, apiKey.id)))).toBe(
      'auth.access_denied',
    );
    expect(await codeOf(Promise.resolve().then(() => auth.apiKeys.rotate(used, apiKey.id)))).toBe(
      'auth.access_denied',
    );
  });

  test("another person's key cannot be revoked, and what is asked for wrongly is told", async ({
    db,
  }) => {
    const { auth, session } = openAuth(db, { authorization });
    const [owner, stranger] = [await session(), await session()];
    const { key, apiKey } = await auth.apiKeys.create(owner.principal, {
      name: 'x',
      scopes: ['project.read'],
    });
    for (const id of [apiKey.id, 'no id'])
      expect(await codeOf(auth.apiKeys.revoke(stranger.principal, id))).toBe(
        'auth.api_key_not_found',
      );
    expect(await auth.authenticate(key)).not.toBeNull();
    for (const input of [
      { name: ' ', scopes: ['project.read'] },
      { name: 'x', scopes: [] },
      { name: 'x', scopes: ['project.fly'] },
      { name: 'x', scopes: ['project.read'], expiresIn: '4000d' as const },
    ])
      expect(await codeOf(auth.apiKeys.create(owner.principal, input))).toBe(
        'core.validation_failed',
      );
  });
});

const onPostgres = databaseTest([authMigrations]);

onPostgres('of 50 that rotate a key at once, one gets the new key', async ({ db }) => {
  const { auth, session } = openAuth(db, { authorization });
  const { principal } = await session();
  const { apiKey } = await auth.apiKeys.create(principal, { name: 'x', scopes: ['project.read'] });
  const rotations = Array.from({ length: 50 }, () => auth.apiKeys.rotate(principal, apiKey.id));
  expect(await tally(rotations)).toEqual({ fulfilled: 1, codes: ['auth.api_key_not_found'] });
});

onPostgres(
  'nobody gets a hundred and first key, also when many are made at once',
  async ({ db }) => {
    const { auth, session } = openAuth(db, { authorization });
    const { principal } = await session();
    const keys = Array.from({ length: 120 }, () =>
      auth.apiKeys.create(principal, { name: 'x', scopes: ['project.read'] }),
    );
    expect(await tally(keys)).toEqual({ fulfilled: 100, codes: ['auth.too_many_api_keys'] });
  },
);

function setUser(db: Db, id: string, values: object) {
  return db.updateTable('svc_auth.users').set(values).where('id', '=', id).execute();
}
