import { transact } from '@svc/db';
import { describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { authMigrations } from '../src/migrations.ts';
import { signedIn } from '../src/testing.ts';
import { codeOf, password } from './open-auth.ts';
import { openPasskeys } from './open-passkeys.ts';

describeDatabases('passkeys', [authMigrations], (test) => {
  test('a passkey is added, brings recovery codes, and raises the session under a new token', async ({
    db,
  }) => {
    const { auth, passkeys, outbox, device, session } = openPasskeys(db);
    const { email, token, principal } = await session();
    const { challenge, options } = await passkeys.registrationOptions(principal);
    expect(options).toMatchObject({
      rp: { id: 'app.example.com', name: 'Projects' },
      user: { name: email, displayName: 'Ada' },
      attestation: 'none',
      excludeCredentials: [],
      authenticatorSelection: { residentKey: 'preferred' },
    });
    expect(options.pubKeyCredParams.map(({ alg }) => alg)).toEqual([-8, -7, -257]);
    expect(Buffer.from(options.challenge, 'base64url')).toHaveLength(32);
    expect(Buffer.from(options.user.id, 'base64url')).toHaveLength(64);
    const response = device().create(options);
    const added = await passkeys.register(principal, { challenge, response, name: ' Phone ' });
    expect(added.passkey).toMatchObject({ name: 'Phone', lastUsedAt: null, backedUp: false });
    expect(added.recoveryCodes?.length).toBeGreaterThan(0);
    expect(await auth.authenticate(token)).toBeNull();
    const raised = await auth.authenticate(added.token);
    expect(raised?.session).toMatchObject({ level: 2, methods: ['pwd', 'passkey'] });
    expect(raised?.user.mfaEnabledAt).not.toBeNull();
    expect((await outbox.next('security_notice', email)).data.change).toBe('passkey_added');
    expect(await passkeys.list(principal)).toEqual([added.passkey]);
  });

  test('a second passkey brings no codes, is made under the same handle, and not where the first one is', async ({
    db,
  }) => {
    const { passkeys, owner, device } = openPasskeys(db);
    const { principal, authenticator } = await owner();
    const { challenge, options } = await passkeys.registrationOptions(principal);
    const [first] = authenticator.credentials;
    expect(options.excludeCredentials).toEqual([
      { type: 'public-key', id: first?.id, transports: ['internal'] },
    ]);
    expect(options.user.id).toBe(first?.userHandle);
    expect(() => authenticator.create(options)).toThrow(TypeError);
    const response = device().create(options);
    const { recoveryCodes, passkey } = await passkeys.register(principal, { challenge, response });
    expect([recoveryCodes, passkey.name]).toEqual([null, 'Passkey']);
  });

  for (const algorithm of ['ES256', 'EdDSA'] as const) {
    test(`somebody signs in with a passkey alone (${algorithm}), which is two factors`, async ({
      db,
    }) => {
      const { auth, passkeys, owner, principalOf, clock } = openPasskeys(db);
      const { authenticator, token: former, user } = await owner({ algorithm });
      await clock.advance('1h');
      const { challenge, options } = await passkeys.loginOptions();
      const response = authenticator.get(options);
      const input = { challenge, response, previousToken: former };
      const { token, session } = signedIn(await passkeys.login(input));
      expect(session).toMatchObject({ level: 2, methods: ['passkey'] });
      const principal = await principalOf(token);
      expect(principal.userId).toBe(user.id);
      expect(await auth.authenticate(former)).toBeNull();
      expect((await passkeys.list(principal))[0]?.lastUsedAt).toEqual(clock.now());
    });
  }

  test('a passkey is the second factor after a password, and presence is enough', async ({
    db,
  }) => {
    const { passkeys, owner, halfSignedIn } = openPasskeys(db);
    const { email, authenticator } = await owner({ userVerified: false });
    const { challenge, methods } = await halfSignedIn(email);
    expect(methods).toContain('passkey');
    const { options } = await passkeys.secondFactorOptions({ challenge });
    expect(options.allowCredentials.map(({ id }) => id)).toEqual([
      authenticator.credentials[0]?.id,
    ]);
    const response = authenticator.get(options, { userHandle: null });
    const { session } = await passkeys.answerChallenge({ challenge, response });
    expect(session).toMatchObject({ level: 2, methods: ['pwd', 'passkey'] });
  });

  test('a step-up makes this session fresh under a new token, and no other', async ({ db }) => {
    const { auth, passkeys, owner, principalOf, clock } = openPasskeys(db);
    const { authenticator, principal, token: former } = await owner();
    const login = await passkeys.loginOptions();
    const other = signedIn(
      await passkeys.login({
        challenge: login.challenge,
        response: authenticator.get(login.options),
      }),
    );
    await clock.advance('1h');
    const { challenge, options } = await passkeys.stepUpOptions(principal);
    const response = authenticator.get(options);
    const { token, session } = await passkeys.stepUp(principal, { challenge, response });
    expect(session).toMatchObject({ secondFactorAt: clock.now(), authenticatedAt: clock.now() });
    expect((await principalOf(token)).session?.id).toBe(principal.session?.id);
    expect(await auth.authenticate(former)).toBeNull();
    const untouched = await principalOf(other.token);
    expect(untouched.session?.secondFactorAt).toEqual(other.session.secondFactorAt);
  });

  test('without the last passkey, the account has one factor again, and the owner is told', async ({
    db,
  }) => {
    const { auth, passkeys, outbox, owner } = openPasskeys(db);
    const { email, principal, passkey, authenticator } = await owner();
    await passkeys.remove(principal, passkey.id);
    expect((await auth.login({ email, password })).status).toBe('signed_in');
    await outbox.next('security_notice', email);
    await auth.stop();
    const changes = outbox.mails.flatMap((mail) =>
      mail.template === 'security_notice' && mail.to === email ? [mail.data.change] : [],
    );
    expect(changes).toContain('passkey_removed');
    expect(await codeOf(passkeys.remove(principal, passkey.id))).toBe('auth.unknown_passkey');
    const { challenge, options } = await passkeys.loginOptions();
    const response = authenticator.get(options);
    expect(await codeOf(passkeys.login({ challenge, response }))).toBe('auth.invalid_credentials');
  });

  test('whether it is backed up is kept up to date; authenticators that do not count are fine', async ({
    db,
  }) => {
    const { passkeys, owner } = openPasskeys(db);
    const { authenticator, principal } = await owner({ backupEligible: true, counts: false });
    for (const backedUp of [true, false, true]) {
      const { challenge, options } = await passkeys.loginOptions();
      const response = authenticator.get(options, { backedUp });
      await passkeys.login({ challenge, response });
      expect((await passkeys.list(principal))[0]?.backedUp).toBe(backedUp);
    }
  });

  test('what belongs to a caller is undone with the transaction of the caller', async ({ db }) => {
    const { passkeys, session, device } = openPasskeys(db);
    const { principal } = await session();
    const undone = transact(db, async (within) => {
      const { challenge, options } = await passkeys.registrationOptions(principal, { within });
      const response = device().create(options);
      await passkeys.register(principal, { challenge, response }, { within });
      throw new Error('the caller changed their mind');
    });
    await expect(undone).rejects.toThrow('changed their mind');
    expect(await passkeys.list(principal)).toEqual([]);
  });

  test('every ceremony is audited, and no entry tells what an authenticator sent', async ({
    db,
  }) => {
    const entries: { type: string; outcome?: string }[] = [];
    const audit = async (event: { type: string; outcome?: string }) => void entries.push(event);
    const { passkeys, owner, halfSignedIn } = openPasskeys(db, { auth: { audit } });
    const { email, authenticator, principal, passkey } = await owner();
    const half = await halfSignedIn(email);
    const { options } = await passkeys.secondFactorOptions(half);
    const response = authenticator.get(options);
    const wrong = { ...response, response: { ...response.response, signature: 'AAAA' } };
    await codeOf(passkeys.answerChallenge({ ...half, response: wrong }));
    await passkeys.answerChallenge({ ...half, response });
    const stepUp = await passkeys.stepUpOptions(principal);
    const shown = authenticator.get(stepUp.options);
    await passkeys.stepUp(principal, { challenge: stepUp.challenge, response: shown });
    await passkeys.remove(principal, passkey.id);
    const types = entries
      .map(({ type }) => type)
      .filter((type) => /passkey|mfa|step_up/.test(type));
    expect(types).toEqual(
      expect.arrayContaining([
        'auth.passkey.added',
        'auth.mfa.failed',
        'auth.step_up.succeeded',
        'auth.passkey.removed',
      ]),
    );
    const text = JSON.stringify(entries);
    for (const secret of [half.challenge, options.challenge, response.id, shown.response.signature])
      expect(text).not.toContain(secret);
  });
});
