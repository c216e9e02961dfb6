import { recordEvents } from '@svc/core/testing';
import { transact } from '@svc/db';
import { describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { acted } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { signedIn } from '../src/testing.ts';
import { codeOf, newPassword, openAuth, password, someone } from './open-auth.ts';

describeDatabases('password reset', [authMigrations], (test) => {
  test('it sets the new password, ends all sessions, signs nobody in and tells the owner', async ({
    db,
  }) => {
    const { auth, outbox, member } = openAuth(db);
    const email = await member();
    const sessions = [
      signedIn(await auth.login({ email, password })),
      signedIn(await auth.login({ email, password })),
    ];
    using seen = recordEvents(acted);
    await auth.forgotPassword({ email });
    const answer = await auth.resetPassword({
      token: await outbox.nextToken('reset_password', email),
      password: newPassword,
    });
    expect(answer).toBeUndefined();
    for (const { token } of sessions) expect(await auth.authenticate(token)).toBeNull();
    expect(await codeOf(auth.login({ email, password }))).toBe('auth.invalid_credentials');
    await auth.login({ email, password: newPassword });
    await outbox.next('password_changed', email);
    expect(seen.events.map(({ payload }) => payload)).toContainEqual({
      type: 'auth.password.reset',
      outcome: 'success',
      userId: sessions[0]?.user.id,
      details: { sessionsEnded: 2, devicesForgotten: 0 },
    });
  });

  test('a link works for 30 minutes, once, and only the newest', async ({ db }) => {
    const { auth, outbox, member, clock } = openAuth(db);
    const email = await member();
    const ask = async () => {
      await auth.forgotPassword({ email });
      return outbox.nextToken('reset_password', email);
    };
    const [older, newer] = [await ask(), await ask()];
    expect(await codeOf(auth.resetPassword({ token: older, password: newPassword }))).toBe(
      'auth.invalid_token',
    );
    await clock.advance('29m');
    await auth.resetPassword({ token: newer, password: newPassword });
    expect(await codeOf(auth.resetPassword({ token: newer, password }))).toBe('auth.invalid_token');
    const late = await ask();
    await clock.advance('30m');
    expect(await codeOf(auth.resetPassword({ token: late, password }))).toBe('auth.invalid_token');
  });

  test('a link for one purpose is none for another', async ({ db }) => {
    const { auth, outbox, member } = openAuth(db);
    const [email, other] = [await member(), someone()];
    await auth.register({ email: other, password });
    await auth.forgotPassword({ email });
    const reset = await outbox.nextToken('reset_password', email);
    const verify = await outbox.nextToken('verify', other);
    expect(await codeOf(auth.verify({ token: reset }))).toBe('auth.invalid_token');
    expect(await codeOf(auth.resetPassword({ token: verify, password }))).toBe(
      'auth.invalid_token',
    );
  });

  test('a password that is refused leaves the link usable', async ({ db }) => {
    const { auth, outbox, member } = openAuth(db);
    const email = await member();
    await auth.forgotPassword({ email });
    const token = await outbox.nextToken('reset_password', email);
    expect(await codeOf(auth.resetPassword({ token, password: 'too short' }))).toBe(
      'core.validation_failed',
    );
    await auth.resetPassword({ token, password: newPassword });
  });

  test('unknown and disabled people get no mail', async ({ db }) => {
    const { auth, outbox, member } = openAuth(db);
    const email = await member();
    await db
      .updateTable('svc_auth.users')
      .set({ disabled_at: new Date(0) })
      .where('email', '=', email)
      .execute();
    await auth.forgotPassword({ email });
    await auth.forgotPassword({ email: someone() });
    await auth.stop();
    expect(outbox.mails.map((mail) => mail.template)).toEqual(['verify']);
  });

  test('a reset in a transaction that rolls back changes nothing', async ({ db }) => {
    const { auth, outbox, member } = openAuth(db);
    const email = await member();
    await auth.forgotPassword({ email });
    const token = await outbox.nextToken('reset_password', email);
    const change = new Error('of mind');
    const attempt = transact(db, async (trx) => {
      await auth.resetPassword({ token, password: newPassword }, { within: trx });
      throw change;
    });
    await expect(attempt).rejects.toBe(change);
    await auth.stop();
    await auth.login({ email, password });
    expect(outbox.mails.some((mail) => mail.template === 'password_changed')).toBe(false);
    await auth.resetPassword({ token, password: newPassword });
  });

  test('a request in a transaction mails after its commit', async ({ db }) => {
    const { auth, outbox, member } = openAuth(db);
    const email = await member();
    await transact(db, (trx) => auth.forgotPassword({ email }, { within: trx }));
    await auth.resetPassword({
      token: await outbox.nextToken('reset_password', email),
      password: newPassword,
    });
  });
});
