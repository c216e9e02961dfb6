import { describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import type { Principal } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { createOAuth } from '../src/oauth.ts';
import { createPasskeys } from '../src/passkeys.ts';
import { codeOf, newPassword, openAuth, password } from './open-auth.ts';

const id = '01900000-0000-7000-8000-000000000001';
const provider = { id: 'corp', name: 'Corp', clientId: 'c', clientSecret: null } as const;

describeDatabases('API keys and what takes a session', [authMigrations], (test) => {
  test('no API key touches the account of its owner, whatever service it asks', async ({ db }) => {
    const { auth, session } = openAuth(db);
    const { principal } = await session();
    const keyed: Principal = {
      ...principal,
      session: null,
      apiKey: { id, name: 'x', scopes: [], level: 2, tenantId: null },
    };
    const passkeys = createPasskeys({ auth });
    const oauth = createOAuth({
      auth,
      providers: [
        {
          ...provider,
          server: { type: 'openid', issuer: 'https://corp.example.com' },
          clientSecretBy: 'basic',
          scopes: [],
          parameters: {},
          newAccounts: 'never',
          storeTokens: false,
          profile: () => {
            throw new Error('nobody signs in');
          },
        },
      ],
    });
    const response = {} as never;
    const acts: Record<string, () => Promise<unknown>> = {
      factors: () => auth.mfa.factors(keyed),
      enrolTotp: () => auth.mfa.enrolTotp(keyed),
      confirmTotp: () => auth.mfa.confirmTotp(keyed, { code: '000000' }),
      removeTotp: () => auth.mfa.removeTotp(keyed),
      makeRecoveryCodes: () => auth.mfa.makeRecoveryCodes(keyed),
      stepUp: () => auth.mfa.stepUp(keyed, { method: 'password', password }),
      listSessions: () => auth.sessions.list(keyed),
      revokeSession: () => auth.sessions.revoke(keyed, id),
      revokeOthers: () => auth.sessions.revokeOthers(keyed),
      revokeAll: () => auth.sessions.revokeAll(keyed),
      rename: () => auth.account.rename(keyed, { name: 'Eve' }),
      changePassword: () => auth.account.changePassword(keyed, { password: newPassword }),
      changeEmail: () => auth.account.requestEmailChange(keyed, { email: 'eve@example.com' }),
      listDevices: () => auth.devices.list(keyed),
      forgetDevice: () => auth.devices.forget(keyed, id),
      forgetDevices: () => auth.devices.forgetAll(keyed),
      listKeys: () => auth.apiKeys.list(keyed),
      createKey: () => auth.apiKeys.create(keyed, { name: 'x', scopes: ['user.read'] }),
      revokeKey: () => auth.apiKeys.revoke(keyed, id),
      rotateKey: () => auth.apiKeys.rotate(keyed, id),
      link: () => oauth.begin({ provider: 'corp', link: keyed }),
      identities: () => oauth.identities(keyed),
      unlink: () => oauth.unlink(keyed, id),
      tokens: () => oauth.tokens(keyed, id),
      passkeys: () => passkeys.list(keyed),
      passkeyOptions: () => passkeys.registrationOptions(keyed),
      register: () => passkeys.register(keyed, { challenge: 'x', response }),
      removePasskey: () => passkeys.remove(keyed, id),
      passkeyStepUpOptions: () => passkeys.stepUpOptions(keyed),
      passkeyStepUp: () => passkeys.stepUp(keyed, { challenge: 'x', response }),
    };
    for (const [act, run] of Object.entries(acts))
      expect([act, await codeOf(run())], act).toEqual([act, 'auth.access_denied']);
  });
});
