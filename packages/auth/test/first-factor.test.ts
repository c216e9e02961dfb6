import { describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { createAuthorization } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { signedIn } from '../src/testing.ts';
import { codeOf, password, someone } from './open-auth.ts';
import { openMfa } from './open-mfa.ts';

const authorization = createAuthorization();

describeDatabases('the first second factor, and the last', [authMigrations], (test) => {
  test('what a session began before it ends nowhere: neither another address nor another app', async ({
    db,
  }) => {
    const { auth, outbox, session, enrolled, nextCode } = openMfa(db);
    const thief = await session();
    const theirs = someone();
    await auth.account.requestEmailChange(thief.principal, { email: theirs });
    const link = await outbox.nextToken('confirm_email', theirs);
    const { secret } = await auth.mfa.enrolTotp(thief.principal);
    await enrolled(thief.email);
    expect(await codeOf(auth.account.confirmEmailChange({ token: link }))).toBe(
      'auth.invalid_token',
    );
    const code = await nextCode(secret);
    expect(await codeOf(auth.mfa.confirmTotp(thief.principal, { code }))).not.toBe('no failure');
    expect((await auth.authenticate(thief.token))?.session?.level).toBe(1);
  });

  test('nothing that waited for an answer then is answered any more', async ({ db }) => {
    const { auth, session, enrolled } = openMfa(db);
    const { email, user } = await session();
    const { challenges } = auth['~context'];
    const begun = { purpose: 'oauth', userId: user.id, tenantId: null, data: {} } as const;
    const { token } = await challenges.create(db, begun);
    expect(await challenges.find(db, { ...begun, token })).not.toBeNull();
    await enrolled(email);
    expect(await challenges.find(db, { ...begun, token })).toBeNull();
  });

  test('another app in its place ends the trust in browsers', async ({ db }) => {
    const { auth, enrolled, challenge, nextCode } = openMfa(db);
    const { email, secret, principal } = await enrolled();
    const answer = { challenge: await challenge(email), code: await nextCode(secret) };
    const { deviceToken } = await auth.mfa.answerChallenge(
      { ...answer, method: 'totp', trustDevice: true },
      { origin: { deviceToken: null } },
    );
    const origin = { deviceToken };
    const knock = () => auth.login({ email, password }, { origin });
    expect(signedIn(await knock()).session.level).toBe(1);
    const next = await auth.mfa.enrolTotp(principal);
    await auth.mfa.confirmTotp(principal, { code: await nextCode(next.secret) });
    expect((await knock()).status).toBe('second_factor_required');
  });

  test('with the last factor, keys that were made with it bring no more than a password does', async ({
    db,
  }) => {
    const options = { authorization, mfa: { requiredFor: ['admin'] } };
    const { auth, enrolled, principalOf } = openMfa(db, options);
    const { token, principal } = await enrolled();
    await db
      .updateTable('svc_auth.users')
      .set({ roles: ['admin'] })
      .where('id', '=', principal.userId)
      .execute();
    const admin = await principalOf(token);
    const { key } = await auth.apiKeys.create(admin, { name: 'x', scopes: ['audit.read'] });
    expect((await auth.authenticate(key))?.permissions.has('audit.read')).toBe(true);
    await auth.mfa.removeTotp(admin);
    expect((await auth.authenticate(key))?.permissions.size).toBe(0);
  });
});
