import { uuidv7 } from '@svc/core';
import { describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { authMigrations } from '../src/migrations.ts';
import { createPasskeys } from '../src/passkeys.ts';
import { signedIn, softwareAuthenticator, totpCode } from '../src/testing.ts';
import { codeOf, newPassword, openAuth, password, someone } from './open-auth.ts';
import { openTenants, urlOf } from './open-tenants.ts';

const otherPassword = 'nine silver herons at noon';

describeDatabases('identities of tenants', [authMigrations], (test) => {
  test('one address is another user in each tenant, with a password of its own', async ({ db }) => {
    const { auth, a, b, at, member, login } = openTenants(db);
    const email = someone();
    const first = await member(email, a);
    const second = await member(email, b.toUpperCase(), otherPassword);
    expect(first.id).not.toBe(second.id);
    expect([first.tenantId, second.tenantId]).toEqual([a, b]);
    expect((await login(email.toUpperCase(), a)).user.id).toBe(first.id);
    expect((await login(email, b, otherPassword)).user.id).toBe(second.id);
    for (const [tenantId, wrong] of [
      [a, otherPassword],
      [b, password],
      [uuidv7(), password],
    ] as const)
      expect(await codeOf(auth.login({ email, password: wrong }, at(tenantId)))).toBe(
        'auth.invalid_credentials',
      );
  });

  test('nothing is done without a tenant, and never in another scope', async ({ db }) => {
    const { auth, a, at, member, login } = openTenants(db);
    const email = someone();
    await member(email, a);
    const { token } = await login(email, a);
    const passkeys = createPasskeys({ auth });
    for (const origin of [undefined, {}, { tenantId: null }, { tenantId: `${a} x` }]) {
      const options = origin === undefined ? {} : { origin };
      const tenantless: (() => Promise<unknown>)[] = [
        () => auth.register({ email, password }, options),
        () => auth.resendVerification({ email }, options),
        () => auth.verify({ token }, options),
        () => auth.login({ email, password }, options),
        () => auth.refresh({ refreshToken: token }, options),
        () => auth.forgotPassword({ email }, options),
        () => auth.resetPassword({ token, password }, options),
        () => auth.account.confirmEmailChange({ token }, options),
        () => auth.mfa.answerChallenge({ challenge: token, method: 'totp', code: '0' }, options),
        () => passkeys.loginOptions(options),
        () => auth.authenticate(token, origin),
      ];
      for (const each of tenantless) {
        // A refresh token of a wrong form is refused for its form.
        const code = await codeOf(each());
        expect(['auth.tenant_required', 'auth.invalid_refresh_token'], String(each)).toContain(
          code,
        );
      }
    }
    const global = openAuth(db).auth;
    expect(await codeOf(global.login({ email, password }, at(a)))).toBe('auth.invalid_credentials');
    expect(await global.authenticate(token, { tenantId: a })).toBeNull();
  });

  test("a session, and what raised or renews it, is none at another tenant's door", async ({
    db,
  }) => {
    const { auth, a, b, at, member } = openTenants(db, { refresh: {} });
    const email = someone();
    await member(email, a);
    await member(email, b);
    const input = { email, password, refresh: true };
    const held = signedIn(await auth.login(input, at(a)));
    expect(await auth.authenticate(held.token, { tenantId: b })).toBeNull();
    const { refreshToken } = held.refresh as { refreshToken: string };
    expect(await codeOf(auth.refresh({ refreshToken }, at(b)))).toBe('auth.invalid_refresh_token');
    const next = await auth.refresh({ refreshToken }, at(a));
    expect((await auth.authenticate(next.token, { tenantId: a }))?.tenantId).toBe(a);
    expect(await auth.authenticate(next.token, { tenantId: b })).toBeNull();
  });

  test("mailed links lead to the tenant, and do nothing at another tenant's door", async ({
    db,
  }) => {
    const { auth, outbox, a, b, at, member, login, principal } = openTenants(db);
    const email = someone();
    await auth.register({ email, password }, at(a));
    const mail = await outbox.next('verify', email);
    expect(new URL(mail.data.link).origin).toBe(urlOf(a));
    const verify = new URL(mail.data.link).searchParams.get('token') as string;
    expect(await codeOf(auth.verify({ token: verify }, at(b)))).toBe('auth.invalid_token');
    await auth.verify({ token: verify }, at(a));
    await member(email, b, otherPassword);

    await auth.forgotPassword({ email }, at(a));
    const reset = await outbox.next('reset_password', email);
    expect(new URL(reset.data.link).origin).toBe(urlOf(a));
    const token = new URL(reset.data.link).searchParams.get('token') as string;
    const input = { token, password: newPassword };
    expect(await codeOf(auth.resetPassword(input, at(b)))).toBe('auth.invalid_token');
    await auth.resetPassword(input, at(a));
    await login(email, a, newPassword);
    await login(email, b, otherPassword);

    const to = someone();
    await member(to, b);
    const { principal: mine } = await principal(email, a, newPassword);
    // The address is taken in the other tenant, and free in this one.
    await auth.account.requestEmailChange(mine, { email: to }, at(a));
    const confirm = await outbox.nextToken('confirm_email', to);
    expect(await codeOf(auth.account.confirmEmailChange({ token: confirm }, at(b)))).toBe(
      'auth.invalid_token',
    );
    expect(await auth.account.confirmEmailChange({ token: confirm }, at(a))).toMatchObject({
      email: to,
      tenantId: a,
    });
    await login(to, a, newPassword);
  });

  test("a second factor's challenge is answered in its tenant only", async ({ db }) => {
    const { auth, clock, a, b, at, member, principal } = openTenants(db);
    const email = someone();
    await member(email, a);
    await member(email, b);
    const { principal: mine } = await principal(email, a);
    const { secret } = await auth.mfa.enrolTotp(mine);
    await auth.mfa.confirmTotp(mine, { code: totpCode(secret, clock.now()) });
    await clock.advance('30s');
    const half = await auth.login({ email, password }, at(a));
    if (half.status !== 'second_factor_required') throw new Error('no second factor asked for');
    const answer = {
      challenge: half.challenge,
      method: 'totp' as const,
      code: totpCode(secret, clock.now()),
    };
    // Also with a wrong code: it is not even looked at.
    for (const each of [answer, { ...answer, code: '000000' }])
      expect(await codeOf(auth.mfa.answerChallenge(each, at(b)))).toBe('auth.invalid_challenge');
    expect((await auth.mfa.answerChallenge(answer, at(a))).session.level).toBe(2);
    // The other user of the address has none.
    expect((await auth.login({ email, password }, at(b))).status).toBe('signed_in');
  });

  test('a passkey signs in to its tenant only', async ({ db }) => {
    const { auth, a, b, at, member, principal } = openTenants(db);
    const passkeys = createPasskeys({ auth, rpId: 'example.com', origins: [urlOf(a), urlOf(b)] });
    const email = someone();
    await member(email, a);
    await member(email, b);
    const device = softwareAuthenticator({ origin: urlOf(a), rpId: 'example.com' });
    const { principal: mine } = await principal(email, a);
    const creation = await passkeys.registrationOptions(mine, at(a));
    const response = device.create(creation.options);
    await passkeys.register(mine, { challenge: creation.challenge, response }, at(a));
    const signIn = async (begun: string, ended: string) => {
      const { challenge, options } = await passkeys.loginOptions(at(begun));
      return passkeys.login({ challenge, response: device.get(options) }, at(ended));
    };
    expect(await codeOf(signIn(b, b))).toBe('auth.invalid_credentials');
    expect(await codeOf(signIn(a, b))).toBe('auth.invalid_challenge');
    expect(signedIn(await signIn(a, a)).user).toMatchObject({ email, tenantId: a });
  });

  test('an account is locked in its tenant, and open in another', async ({ db }) => {
    const { auth, a, b, at, member, login } = openTenants(db, {
      lockout: { account: { free: 2 }, answer: 'retry_after' },
    });
    const email = someone();
    await member(email, a);
    await member(email, b);
    for (let each = 0; each < 3; each += 1)
      await codeOf(auth.login({ email, password: otherPassword }, at(a)));
    expect(await codeOf(auth.login({ email, password }, at(a)))).toBe('auth.locked');
    await login(email, b);
  });

  test('users are imported into a tenant and found in it', async ({ db }) => {
    const { auth, a, b, member, audited } = openTenants(db);
    const staff = { type: 'user', id: uuidv7() } as const;
    const email = someone();
    await member(email, a);
    expect(await codeOf(auth.users.import({ email, verified: true }, staff))).toBe(
      'auth.tenant_required',
    );
    const same = { email, verified: true, tenantId: a };
    expect(await codeOf(auth.users.import(same, staff))).toBe('auth.user_exists');
    const imported = await auth.users.import({ ...same, tenantId: b }, staff);
    expect(await auth.users.list({ limit: 9, email, tenantId: b })).toEqual([imported]);
    expect((await auth.users.list({ limit: 9, tenantId: b })).map(({ id }) => id)).toEqual([
      imported.id,
    ]);
    expect(await codeOf(auth.users.list({ limit: 9, email }))).toBe('auth.tenant_required');
    // Whoever acts and from where: it stands in the log of the user's tenant.
    await auth.users.disable(imported.id, staff, { origin: { tenantId: a } });
    expect(audited.at(-1)).toMatchObject({ type: 'auth.user.disabled', tenantId: b });
  });

  test('every act stands in the log of its tenant, also of an address that nobody has', async ({
    db,
  }) => {
    const { auth, a, at, member, login, audited } = openTenants(db);
    const email = someone();
    await member(email, a);
    const { token } = await login(email, a);
    await codeOf(auth.login({ email: someone(), password }, at(a)));
    await codeOf(auth.login({ email, password: otherPassword }, at(a)));
    await auth.logout({ token });
    expect(audited.length).toBeGreaterThan(4);
    expect(audited.filter(({ tenantId }) => tenantId !== a)).toEqual([]);
    const global = openAuth(db, { audit: async (event) => void audited.push(event) });
    audited.length = 0;
    await global.session();
    expect(audited.length).toBeGreaterThan(1);
    // What a request says grants no place in the log of a tenant.
    await codeOf(global.auth.login({ email, password }, at(a)));
    expect(audited.filter((event) => event.tenantId !== undefined)).toEqual([]);
  });

  test('the database itself keeps an address and its tenant together', async ({ db }) => {
    const { a, b, member } = openTenants(db);
    const { id } = await member(someone(), a);
    const users = db.updateTable('svc_auth.users').where('id', '=', id);
    for (const tenantId of [b, null])
      await expect(users.set({ tenant_id: tenantId }).execute()).rejects.toMatchObject({
        code: '23514',
      });
  });
});
