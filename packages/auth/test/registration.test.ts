import { recordEvents } from '@svc/core/testing';
import { transact } from '@svc/db';
import { describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { acted } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { tokenIn, signedIn } from '../src/testing.ts';
import { codeOf, newPassword, openAuth, password, someone } from './open-auth.ts';

describeDatabases('registration', [authMigrations], (test) => {
  test('a registered, verified person can sign in and is known by the session', async ({ db }) => {
    const { auth, outbox } = openAuth(db);
    const email = someone();
    using seen = recordEvents(acted);
    await auth.register({ email, password, name: '  Ada ' });
    const user = await auth.verify({ token: await outbox.nextToken('verify', email) });
    const { token } = signedIn(await auth.login({ email, password }));
    const principal = await auth.authenticate(token);
    expect(principal).toMatchObject({
      userId: user.id,
      user: { email, name: 'Ada', verifiedAt: expect.any(Date) },
    });
    expect(seen.events.map(({ payload }) => [payload.type, payload.userId])).toEqual([
      ['auth.user.registered', user.id],
      ['auth.user.verified', user.id],
      ['auth.login.succeeded', user.id],
    ]);
  });

  test('nobody signs in before the address is verified, and trying with the right password mails a new link', async ({
    db,
  }) => {
    const { auth, outbox } = openAuth(db);
    const email = someone();
    await auth.register({ email, password });
    const first = await outbox.nextToken('verify', email);
    expect(await codeOf(auth.login({ email, password }))).toBe('auth.invalid_credentials');
    const second = await outbox.nextToken('verify', email);
    expect(await codeOf(auth.verify({ token: first }))).toBe('auth.invalid_token');
    await auth.verify({ token: second });
    await auth.login({ email, password });
  });

  test('a wrong password for an unverified address mails nothing', async ({ db }) => {
    const { auth, outbox } = openAuth(db);
    const email = someone();
    await auth.register({ email, password });
    await codeOf(auth.login({ email, password: newPassword }));
    await auth.stop();
    expect(outbox.mails).toHaveLength(1);
  });

  test('a verification token works once', async ({ db }) => {
    const { auth, outbox } = openAuth(db);
    const email = someone();
    await auth.register({ email, password });
    const token = await outbox.nextToken('verify', email);
    await auth.verify({ token });
    expect(await codeOf(auth.verify({ token }))).toBe('auth.invalid_token');
  });

  test('a verification token works for 24 hours', async ({ db }) => {
    const { auth, outbox, clock } = openAuth(db);
    const [early, late] = [someone(), someone()];
    await auth.register({ email: early, password });
    await auth.register({ email: late, password });
    const [inTime, tooLate] = await Promise.all(
      [early, late].map((email) => outbox.nextToken('verify', email)),
    );
    await clock.advance('1439m');
    await auth.verify({ token: inTime as string });
    await clock.advance('1m');
    expect(await codeOf(auth.verify({ token: tooLate as string }))).toBe('auth.invalid_token');
  });

  test('a resent link replaces the former one and keeps the password of the registration', async ({
    db,
  }) => {
    const { auth, outbox, clock } = openAuth(db);
    const email = someone();
    await auth.register({ email, password });
    const first = await outbox.nextToken('verify', email);
    await clock.advance('23h');
    await auth.resendVerification({ email });
    const second = await outbox.nextToken('verify', email);
    expect(await codeOf(auth.verify({ token: first }))).toBe('auth.invalid_token');
    await auth.verify({ token: second });
    await auth.login({ email, password });
  });

  test('a registration that nobody confirmed in time is revived without its password', async ({
    db,
  }) => {
    const { auth, outbox, clock } = openAuth(db);
    const email = someone();
    await auth.register({ email, password });
    await outbox.next('verify', email);
    await clock.advance('24h');
    await auth.resendVerification({ email });
    await auth.verify({ token: await outbox.nextToken('verify', email) });
    expect(await codeOf(auth.login({ email, password }))).toBe('auth.invalid_credentials');
    const token = await outbox.nextToken('reset_password', email);
    await auth.resetPassword({ token, password: newPassword });
    await auth.login({ email, password: newPassword });
  });

  test('nothing is resent for a verified or an unknown address', async ({ db }) => {
    const { auth, outbox, member } = openAuth(db);
    await auth.resendVerification({ email: await member() });
    await auth.resendVerification({ email: someone() });
    await auth.stop();
    expect(outbox.mails.map((mail) => mail.template)).toEqual(['verify']);
  });

  for (const when of ['before', 'after']) {
    test(`of a registration by a stranger ${when} that of the owner no password counts, and the owner chooses one`, async ({
      db,
    }) => {
      const { auth, outbox } = openAuth(db);
      const email = someone();
      const strangersPassword = 'the password of a stranger';
      const owners = { email, password };
      const strangers = { email, password: strangersPassword, name: 'Mallory' };
      const [first, second] = when === 'before' ? [strangers, owners] : [owners, strangers];
      await auth.register(first);
      const older = await outbox.nextToken('verify', email);
      await auth.register(second);
      await outbox.nextToken('verify', email);
      await auth.resendVerification({ email });
      const user = await auth.verify({ token: await outbox.nextToken('verify', email) });
      expect(user.name).toBeNull();
      expect(await codeOf(auth.verify({ token: older }))).toBe('auth.invalid_token');
      for (const tried of [strangersPassword, password]) {
        expect(await codeOf(auth.login({ email, password: tried }))).toBe(
          'auth.invalid_credentials',
        );
      }
      const reset = await outbox.nextToken('reset_password', email);
      await auth.resetPassword({ token: reset, password });
      await auth.login({ email, password });
    });
  }

  test('an owner whose address a stranger registered gets in by a password reset, which drops what the stranger chose', async ({
    db,
  }) => {
    const { auth, outbox } = openAuth(db);
    const email = someone();
    await auth.register({ email, password: 'the password of a stranger' });
    const strangers = await outbox.nextToken('verify', email);
    await auth.forgotPassword({ email });
    await auth.resetPassword({ token: await outbox.nextToken('reset_password', email), password });
    expect(await codeOf(auth.verify({ token: strangers }))).toBe('auth.invalid_token');
    expect(await codeOf(auth.login({ email, password: 'the password of a stranger' }))).toBe(
      'auth.invalid_credentials',
    );
    await auth.login({ email, password });
  });

  test('registering an address that has an account changes nothing and tells its owner', async ({
    db,
  }) => {
    const { auth, outbox, member } = openAuth(db);
    const email = await member();
    await auth.register({ email: email.toUpperCase(), password: newPassword, name: 'Mallory' });
    const mail = await outbox.next('already_registered', email);
    expect(mail.data).toEqual({ appName: 'Projects', link: 'https://app.example.com/' });
    expect(await codeOf(auth.login({ email, password: newPassword }))).toBe(
      'auth.invalid_credentials',
    );
    const { user } = signedIn(await auth.login({ email, password }));
    expect(user).toMatchObject({ email, name: 'Ada' });
  });

  test('addresses that differ only by case and outer spaces are one account', async ({ db }) => {
    const { auth, outbox } = openAuth(db);
    const email = someone();
    const written = ` ${email.replace('person', 'Person')} `;
    await auth.register({ email: written, password });
    await auth.verify({ token: await outbox.nextToken('verify', written.trim()) });
    const { user } = signedIn(await auth.login({ email, password }));
    expect(user.email).toBe(written.trim());
  });

  test('the link starts with publicUrl, also below a path', async ({ db }) => {
    const { auth, outbox } = openAuth(db, {
      publicUrl: 'https://example.com/app/',
      paths: { verify: '/confirm' },
    });
    const email = someone();
    await auth.register({ email, password });
    const { link } = (await outbox.next('verify', email)).data;
    expect(link).toBe(`https://example.com/app/confirm?token=${tokenIn(link)}`);
    expect(tokenIn(link)).toMatch(/^[\w-]{43}$/);
  });

  test('a registration in a transaction that rolls back leaves no user and no mail', async ({
    db,
  }) => {
    const { auth, outbox } = openAuth(db);
    const email = someone();
    const change = new Error('of mind');
    const attempt = transact(db, async (trx) => {
      await auth.register({ email, password }, { within: trx });
      throw change;
    });
    await expect(attempt).rejects.toBe(change);
    await auth.stop();
    expect(outbox.mails).toEqual([]);
    expect(
      await db.selectFrom('svc_auth.users').select('id').where('email', '=', email).execute(),
    ).toEqual([]);
  });

  test('a registration in a transaction mails after its commit', async ({ db }) => {
    const { auth, outbox } = openAuth(db);
    const email = someone();
    await transact(db, async (trx) => {
      await auth.register({ email, password }, { within: trx });
      await auth.stop();
      expect(outbox.mails).toEqual([]);
    });
    await auth.verify({ token: await outbox.nextToken('verify', email) });
  });

  test('a mail that cannot be sent is logged without its token, and asking again sends it', async ({
    db,
  }) => {
    const sent: string[] = [];
    const { auth, logger } = openAuth(db, {
      sendMail: async (mail) => {
        sent.push(tokenIn(mail.data.link));
        throw new Error(`could not deliver: ${mail.data.link}`);
      },
    });
    const email = someone();
    await auth.register({ email, password });
    await auth.resendVerification({ email });
    await auth.stop();
    expect(sent).toHaveLength(2);
    expect(logger.lines.map((line) => line.message)).toEqual([
      'a mail could not be sent',
      'a mail could not be sent',
    ]);
    for (const token of sent) expect(JSON.stringify(logger.lines)).not.toContain(token);
  });

  test('a disabled user can neither verify nor register again', async ({ db }) => {
    const { auth, outbox } = openAuth(db);
    const email = someone();
    await auth.register({ email, password });
    const token = await outbox.nextToken('verify', email);
    await db
      .updateTable('svc_auth.users')
      .set({ disabled_at: new Date(0) })
      .where('email', '=', email)
      .execute();
    expect(await codeOf(auth.verify({ token }))).toBe('auth.invalid_token');
    await auth.register({ email, password });
    await auth.stop();
    expect(outbox.mails).toHaveLength(1);
  });
});
