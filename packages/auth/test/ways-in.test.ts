import { databaseTest, describeDatabases } from '@svc/db/testing';
import type { Db } from '@svc/db';
import { expect } from 'vitest';
import { authMigrations } from '../src/migrations.ts';
import { createOAuth, oidc } from '../src/oauth.ts';
import { codeOf, tally } from './open-auth.ts';
import { openPasskeys } from './open-passkeys.ts';

const providers = [
  oidc({ id: 'corp', issuer: 'https://corp.example.com', clientId: 'c', clientSecret: 's' }),
];
const identityId = '01900000-0000-7000-8000-000000000007';

function openWays(db: Db) {
  const opened = openPasskeys(db, { providers });
  const oauth = createOAuth({ auth: opened.auth, providers });
  const dropPassword = () => db.deleteFrom('svc_auth.password_credentials').execute();
  const link = (userId: string, provider = 'corp') =>
    db
      .insertInto('svc_auth.identities')
      .values({
        id: identityId,
        user_id: userId,
        issuer: 'https://corp.example.com',
        subject: '1',
        created_at: new Date(0),
        provider,
      })
      .execute();
  return { ...opened, oauth, dropPassword, link };
}

describeDatabases('the last way in', [authMigrations], (test) => {
  test('is not a passkey that cannot sign in alone', async ({ db }) => {
    const { owner, oauth, dropPassword, link } = openWays(db);
    for (const weak of [{ userVerified: false }, { discoverable: false }, { discoverable: null }]) {
      const { user, principal } = await owner(weak);
      await dropPassword();
      await link(user.id);
      expect([weak, await codeOf(oauth.unlink(principal, identityId))]).toEqual([
        weak,
        'auth.last_way_in',
      ]);
      await db.deleteFrom('svc_auth.identities').execute();
    }
    const { user, principal } = await owner();
    await dropPassword();
    await link(user.id);
    await oauth.unlink(principal, identityId);
  });

  test('may be a passkey of which the browser said nothing, once it has signed in alone', async ({
    db,
  }) => {
    const { owner, oauth, dropPassword, link, passkeys } = openWays(db);
    const { user, principal, authenticator } = await owner({ discoverable: null });
    await dropPassword();
    await link(user.id);
    const { challenge, options } = await passkeys.loginOptions();
    await passkeys.login({ challenge, response: authenticator.get(options) });
    await oauth.unlink(principal, identityId);
  });

  test('is not taken away with a passkey, either', async ({ db }) => {
    const { owner, passkeys, dropPassword, link } = openWays(db);
    const { user, principal, passkey } = await owner();
    await dropPassword();
    const remove = () => codeOf(passkeys.remove(principal, passkey.id));
    expect(await remove()).toBe('auth.last_way_in');
    await link(user.id, 'gone');
    expect(await remove()).toBe('auth.last_way_in');
    expect(await passkeys.list(principal)).toHaveLength(1);
    await db.updateTable('svc_auth.identities').set({ provider: 'corp' }).execute();
    expect(await remove()).toBe('no failure');
  });
});

databaseTest([authMigrations])(
  'of passkeys that are removed and used at the same moment, one stays',
  async ({ db }) => {
    const { owner, passkeys, principalOf, device, dropPassword } = openWays(db);
    const first = await owner();
    let { principal } = first;
    const held = [{ id: first.passkey.id, authenticator: first.authenticator }];
    while (held.length < 15) {
      const { challenge, options } = await passkeys.registrationOptions(principal);
      const authenticator = device();
      const response = authenticator.create(options);
      const added = await passkeys.register(principal, { challenge, response });
      held.push({ id: added.passkey.id, authenticator });
      principal = await principalOf(added.token);
    }
    await dropPassword();
    const logins = await Promise.all(
      held.map(async ({ authenticator }) => {
        const { challenge, options } = await passkeys.loginOptions();
        return { challenge, response: authenticator.get(options) };
      }),
    );
    const [removed, used] = await Promise.all([
      tally(held.map(({ id }) => passkeys.remove(principal, id))),
      tally(logins.map((login) => passkeys.login(login))),
    ]);
    expect(removed).toEqual({ fulfilled: 14, codes: ['auth.last_way_in'] });
    expect(used.codes.filter((code) => code !== 'auth.invalid_credentials')).toEqual([]);
    expect(await passkeys.list(principal)).toHaveLength(1);
  },
);
