import { describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { authMigrations } from '../src/migrations.ts';
import { totpCode } from '../src/testing.ts';
import { codeOf } from './open-auth.ts';
import { openMfa } from './open-mfa.ts';
import { openPasskeys } from './open-passkeys.ts';

describeDatabases('changing second factors', [authMigrations], (test) => {
  test('an app that a thief began to set up cannot be confirmed once the owner has a second factor', async ({
    db,
  }) => {
    const { auth, session, passkeys, device, clock } = openPasskeys(db);
    const owner = await session();
    const thief = await session(owner.email);
    const { secret } = await auth.mfa.enrolTotp(thief.principal);
    const { challenge, options } = await passkeys.registrationOptions(owner.principal);
    await passkeys.register(owner.principal, { challenge, response: device().create(options) });
    expect(await db.selectFrom('svc_auth.totp_factors').select('id').execute()).toEqual([]);
    const code = totpCode(secret, clock.now());
    expect(await codeOf(auth.mfa.confirmTotp(thief.principal, { code }))).toBe(
      'auth.insufficient_user_authentication',
    );
    expect((await auth.authenticate(thief.token))?.session?.level).toBe(1);
    expect((await auth.mfa.factors(thief.principal)).totp).toBe(false);
  });

  test('who has only the password sets up, confirms, removes and makes nothing beside a second factor', async ({
    db,
  }) => {
    const { auth, enrolled, principalOf, clock } = openMfa(db);
    const owner = await enrolled();
    const pending = await auth.mfa.enrolTotp(owner.principal);
    // A session of level 1, as that of a browser which its user trusts.
    await db.updateTable('svc_auth.sessions').set({ level: 1, second_factor_at: null }).execute();
    const weak = await principalOf(owner.token);
    const code = totpCode(pending.secret, clock.now());
    for (const act of [
      () => auth.mfa.enrolTotp(weak),
      () => auth.mfa.confirmTotp(weak, { code }),
      () => auth.mfa.removeTotp(weak),
      () => auth.mfa.makeRecoveryCodes(weak),
    ])
      expect(await codeOf(act())).toBe('auth.insufficient_user_authentication');
    expect(await auth.mfa.factors(weak)).toMatchObject({ totp: true, recoveryCodesLeft: 10 });
  });
});
