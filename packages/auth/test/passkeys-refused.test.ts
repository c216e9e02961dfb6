import { describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { authMigrations } from '../src/migrations.ts';
import { createPasskeys } from '../src/passkeys.ts';
import type { CeremonyClaims } from '../src/testing.ts';
import { codeOf, openAuth } from './open-auth.ts';
import { openPasskeys, tampered } from './open-passkeys.ts';

const lies: readonly [string, Partial<CeremonyClaims>][] = [
  ['another origin', { origin: 'https://app.example.com.evil.test' }],
  ['a subdomain of the origin', { origin: 'https://x.app.example.com' }],
  ['the origin over http', { origin: 'http://app.example.com' }],
  ['another domain', { rpId: 'example.com' }],
  ['the type of another ceremony', { type: 'payment.get' }],
  ['another challenge', { challenge: 'A'.repeat(43) }],
  ['nobody present', { userPresent: false }],
  ['a page inside of a foreign page', { crossOrigin: true }],
  ['a backup of what cannot be copied', { backedUp: true }],
];

describeDatabases('passkeys that are refused', [authMigrations], (test) => {
  test('no passkey is added with any claim that does not hold', async ({ db }) => {
    const { passkeys, session, device } = openPasskeys(db, { userVerification: 'required' });
    const { principal } = await session();
    for (const [what, claims] of [
      ...lies,
      ['the user not verified', { userVerified: false }] as const,
      ['the type of signing in', { type: 'webauthn.get' }] as const,
    ]) {
      const { challenge, options } = await passkeys.registrationOptions(principal);
      const response = device().create(options, claims);
      expect([what, await codeOf(passkeys.register(principal, { challenge, response }))]).toEqual([
        what,
        'core.validation_failed',
      ]);
    }
    expect(await passkeys.list(principal)).toEqual([]);
  });

  test('nobody signs in with any claim that does not hold, and all are refused alike', async ({
    db,
  }) => {
    const { passkeys, owner } = openPasskeys(db);
    const { authenticator } = await owner();
    const attempt = async (
      change: (answer: ReturnType<typeof authenticator.get>) => unknown,
      claims = {},
    ) => {
      const { challenge, options } = await passkeys.loginOptions();
      const response = change(authenticator.get(options, claims)) as ReturnType<
        typeof authenticator.get
      >;
      return passkeys.login({ challenge, response }).catch((error: unknown) => error);
    };
    const unknownId = 'A'.repeat(43);
    const answers = [
      ...(await Promise.all(lies.map(([, claims]) => attempt((answer) => answer, claims)))),
      await attempt((answer) => answer, { type: 'webauthn.create' }),
      await attempt((answer) => answer, { userVerified: false }),
      await attempt((answer) => answer, { backupEligible: true }),
      await attempt((answer) => answer, { userHandle: null }),
      await attempt((answer) => answer, { userHandle: unknownId }),
      await attempt((answer) => ({ ...answer, id: unknownId, rawId: unknownId })),
      await attempt((answer) => ({ ...answer, rawId: unknownId })),
      await attempt((answer) => tampered(answer, 'signature')),
      await attempt((answer) => tampered(answer, 'authenticatorData')),
      await attempt((answer) => tampered(answer, 'clientDataJSON')),
    ];
    const shown = answers.map((each) => {
      const { code, details } = each as { code: string; details: unknown };
      return JSON.stringify({ code, details, message: (each as Error).message });
    });
    expect(new Set(shown)).toHaveLength(1);
    expect(shown[0]).toContain('auth.invalid_credentials');
  });

  test('a session that a passkey opened is not made fresh by presence alone', async ({ db }) => {
    const { passkeys, owner, principalOf } = openPasskeys(db);
    const { authenticator } = await owner();
    const login = await passkeys.loginOptions();
    const signIn = await passkeys.login({
      challenge: login.challenge,
      response: authenticator.get(login.options),
    });
    if (signIn.status !== 'signed_in') throw new Error('not signed in');
    const principal = await principalOf(signIn.token);
    const { challenge, options } = await passkeys.stepUpOptions(principal);
    expect(options.userVerification).toBe('required');
    const response = authenticator.get(options, { userVerified: false });
    expect(await codeOf(passkeys.stepUp(principal, { challenge, response }))).toBe(
      'auth.invalid_credentials',
    );
  });

  test('a count that does not grow is refused, flagged, and told to the owner', async ({ db }) => {
    const entries: { type: string; outcome?: string }[] = [];
    const audit = async (event: { type: string; outcome?: string }) => void entries.push(event);
    const { passkeys, owner, outbox, auth } = openPasskeys(db, { auth: { audit } });
    const { authenticator, email } = await owner();
    const use = async (signCount: number, bit = false) => {
      const { challenge, options } = await passkeys.loginOptions();
      const answer = authenticator.get(options, { signCount });
      const response = bit ? tampered(answer, 'signature') : answer;
      return codeOf(passkeys.login({ challenge, response }));
    };
    const flagged = () =>
      entries.filter(
        ({ type, outcome }) => type === 'auth.passkey.counter_regressed' && outcome === 'failure',
      ).length;
    expect(await use(7)).toBe('no failure');
    expect(await use(3, true)).toBe('auth.invalid_credentials');
    // Whoever has not the key cannot raise the alarm.
    expect(flagged()).toBe(0);
    for (const [index, count] of [7, 6, 0].entries()) {
      expect(await use(count)).toBe('auth.invalid_credentials');
      expect(flagged()).toBe(index + 1);
    }
    await outbox.next('security_notice', email);
    await auth.stop();
    const changes = outbox.mails.flatMap((mail) =>
      mail.template === 'security_notice' ? [mail.data.change] : [],
    );
    expect(changes.filter((change) => change === 'passkey_suspected')).toHaveLength(3);
    expect(await use(8)).toBe('no failure');
  });

  test('a passkey of a disabled or unverified user is refused like an unknown one', async ({
    db,
  }) => {
    const { passkeys, owner } = openPasskeys(db);
    for (const state of [{ disabled_at: new Date(0) }, { verified_at: null }]) {
      const { authenticator, user } = await owner();
      await db.updateTable('svc_auth.users').set(state).where('id', '=', user.id).execute();
      const { challenge, options } = await passkeys.loginOptions();
      const response = authenticator.get(options);
      await expect(passkeys.login({ challenge, response })).rejects.toMatchObject({
        code: 'auth.invalid_credentials',
        details: { detail: 'The passkey was not accepted.' },
      });
    }
  });

  test('a credential belongs to one account', async ({ db }) => {
    const { passkeys, owner, session } = openPasskeys(db);
    const { authenticator } = await owner();
    const { principal } = await session();
    const { challenge, options } = await passkeys.registrationOptions(principal);
    const fresh = authenticator.create(options);
    await passkeys.register(principal, { challenge, response: fresh });
    const other = await session();
    const again = await passkeys.registrationOptions(other.principal);
    // The same credential id once more, with everything else right.
    const client = {
      type: 'webauthn.create',
      challenge: again.options.challenge,
      origin: 'https://app.example.com',
    };
    const clientDataJSON = Buffer.from(JSON.stringify(client)).toString('base64url');
    const response = { ...fresh, response: { ...fresh.response, clientDataJSON } };
    const copied = passkeys.register(other.principal, { challenge: again.challenge, response });
    await expect(copied).rejects.toMatchObject({
      code: 'core.validation_failed',
      details: { errors: [{ pointer: '/response', code: 'passkey_not_accepted' }] },
    });
    expect(await passkeys.list(other.principal)).toEqual([]);
  });

  test('who has a second factor cannot add or remove one with the password alone', async ({
    db,
  }) => {
    const { passkeys, owner, device } = openPasskeys(db);
    const { principal, passkey } = await owner();
    const session = principal.session;
    if (session === null) throw new Error('no session');
    const weak = { ...principal, session: { ...session, level: 1 as const } };
    const { challenge, options } = await passkeys.registrationOptions(weak);
    const response = device().create(options);
    const code = 'auth.insufficient_user_authentication';
    expect(await codeOf(passkeys.register(weak, { challenge, response }))).toBe(code);
    expect(await codeOf(passkeys.remove(weak, passkey.id))).toBe(code);
  });

  test('a passkey of somebody else is not there to be removed', async ({ db }) => {
    const { passkeys, owner } = openPasskeys(db);
    const [ada, eve] = [await owner(), await owner()];
    for (const id of [ada.passkey.id, 'no id', ''])
      expect(await codeOf(passkeys.remove(eve.principal, id))).toBe('auth.unknown_passkey');
    expect(await passkeys.list(ada.principal)).toHaveLength(1);
  });

  test('an account has at most 20 passkeys', async ({ db }) => {
    const { passkeys, owner, device } = openPasskeys(db);
    const { principal } = await owner();
    const late = await passkeys.registrationOptions(principal);
    for (let count = 1; count < 20; count += 1) {
      const { challenge, options } = await passkeys.registrationOptions(principal);
      await passkeys.register(principal, { challenge, response: device().create(options) });
    }
    expect(await codeOf(passkeys.registrationOptions(principal))).toBe('auth.too_many_passkeys');
    const response = device().create(late.options);
    expect(await codeOf(passkeys.register(principal, { ...late, response }))).toBe(
      'auth.too_many_passkeys',
    );
  });

  test('answers of another shape are refused before anything looks at them, and never quoted', async ({
    db,
  }) => {
    const { passkeys, owner } = openPasskeys(db);
    const { authenticator, principal } = await owner();
    const { challenge, options } = await passkeys.loginOptions();
    const good = authenticator.get(options);
    const marker = 'quoted-nowhere';
    for (const bad of [
      null,
      [],
      { ...good, id: `${marker}!` },
      { ...good, type: marker },
      { ...good, response: { ...good.response, signature: marker.repeat(1000) } },
      { ...good, response: { ...good.response, clientDataJSON: `${marker}=` } },
      { ...good, response: {} },
    ]) {
      const error = await passkeys
        .login({ challenge, response: bad as never })
        .catch((caught: unknown) => caught);
      expect(error).toMatchObject({ code: 'core.validation_failed' });
      expect(JSON.stringify((error as { details: unknown }).details)).not.toContain(marker);
    }
    // Bytes that are no CBOR and no JSON, and CBOR that is nested without end.
    for (const [clientDataJSON, attestationObject] of [
      ['AAAA', 'AAAA'],
      ['e30', Buffer.alloc(6000, 0x81).toString('base64url')],
    ] as const) {
      const creation = await passkeys.registrationOptions(principal);
      const response = { id: 'AAAA', rawId: 'AAAA', type: 'public-key' as const };
      const input = {
        challenge: creation.challenge,
        response: { ...response, response: { clientDataJSON, attestationObject } },
      };
      expect(await codeOf(passkeys.register(principal, input))).toBe('core.validation_failed');
    }
    for (const name of ['', ' ', 'x'.repeat(101), 'a\nb']) {
      const input = { challenge, response: good as never, name };
      expect(await codeOf(passkeys.register(principal, input))).toBe('core.validation_failed');
    }
  });

  test('options that could not work are refused at once', ({ db }) => {
    const { auth } = openAuth(db);
    for (const options of [
      { rpId: '' },
      { rpId: 'App.Example.com' },
      { rpId: 'other.example' },
      { origins: [] },
      { origins: ['https://app.example.com/'] },
      { origins: ['https://app.example.com', 'https://notapp.example.com.evil.test'] },
      { origins: ['ftp://app.example.com'] },
    ])
      expect(() => createPasskeys({ auth, ...options })).toThrow(TypeError);
    createPasskeys({
      auth,
      rpId: 'example.com',
      origins: ['https://app.example.com', 'https://example.com', 'android:apk-key-hash:abc_-'],
    });
  });
});
