import { systemClock, uuidv7 } from '@svc/core';
import { recordingLogger } from '@svc/core/testing';
import { describeDatabases } from '@svc/db/testing';
import { type HttpEnv, stack } from '@svc/http/hono';
import { Hono } from 'hono';
import { expect } from 'vitest';
import { requireTenantMfa, requireUser } from '../src/hono.ts';
import { type AuthAuditEvent, createAuthorization, type Principal } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { signedIn } from '../src/testing.ts';
import { password } from './open-auth.ts';
import { openMfa } from './open-mfa.ts';

const authorization = createAuthorization({
  permissions: ['project.read'],
  roles: { user: ['project.read'] },
});

describeDatabases('a tenant that demands a second factor', [authMigrations], (test) => {
  test('lets in only who showed one; others learn whether to set one up or to show it', async ({
    db,
  }) => {
    const [strict, lax, unsure] = [uuidv7(), uuidv7(), uuidv7()];
    const audited: AuthAuditEvent[] = [];
    const { auth, session, enrolled, challenge, nextCode, principalOf } = openMfa(db, {
      authorization,
      audit: async (event) => void audited.push(event),
    });
    const app = new Hono<HttpEnv>();
    const logger = recordingLogger();
    stack(app, { logger, clock: systemClock, typeBase: 'https://app.example.com/errors' });
    const asked: [string, Principal][] = [];
    app.get(
      '/work/:tenant',
      requireUser(auth, { accept: 'any' }),
      requireTenantMfa(auth, {
        tenantOf: (c) => c.req.param('tenant') as string,
        demands: async (tenantId, principal) => {
          asked.push([tenantId, principal]);
          // What answers nothing, at run time, opens nothing.
          return (tenantId === unsure ? undefined : tenantId === strict) as boolean;
        },
      }),
      (c) => c.text('in'),
    );
    const visit = async (token: string, tenantId = strict) => {
      const headers = { authorization: `Bearer ${token}` };
      const answer = await app.request(`/work/${tenantId}`, { headers });
      const code = answer.status === 200 ? 'in' : ((await answer.json()) as { code: string }).code;
      return { status: answer.status, code, challenge: answer.headers.get('www-authenticate') };
    };

    const without = await session();
    expect(await visit(without.token, lax)).toMatchObject({ code: 'in' });
    expect(await visit(without.token)).toMatchObject({
      status: 403,
      code: 'auth.mfa_enrolment_required',
    });
    expect(await visit(without.token, unsure)).toMatchObject({ status: 403 });
    expect(asked.at(-1)?.[1].userId).toBe(without.principal.userId);
    expect(audited.at(-1)).toMatchObject({
      type: 'auth.access.denied',
      outcome: 'denied',
      tenantId: unsure,
      details: { rule: 'tenant_mfa', route: '/work/:tenant' },
    });
    const { key: weak } = await auth.apiKeys.create(without.principal, {
      name: 'x',
      scopes: ['project.read'],
    });

    const { email, secret, token: strong } = await enrolled(without.email);
    expect(await visit(strong)).toMatchObject({ code: 'in' });
    const { key } = await auth.apiKeys.create(await principalOf(strong), {
      name: 'x',
      scopes: ['project.read'],
    });
    expect(await visit(key)).toMatchObject({ code: 'in' });
    expect(await visit(weak)).toMatchObject({
      status: 401,
      code: 'auth.insufficient_user_authentication',
    });
    expect(await visit(weak, lax)).toMatchObject({ code: 'in' });

    // Another session of the same person, which showed none: here, one of a browser that they trust.
    const code = await nextCode(secret);
    const first = await auth.mfa.answerChallenge(
      { challenge: await challenge(email), method: 'totp', code, trustDevice: true },
      { origin: { deviceToken: null } },
    );
    const origin = { deviceToken: first.deviceToken };
    const spared = signedIn(await auth.login({ email, password }, { origin }));
    expect(spared.session.level).toBe(1);
    const half = await visit(spared.token);
    expect(half).toMatchObject({ status: 401, code: 'auth.insufficient_user_authentication' });
    expect(half.challenge).toContain('acr_values="2"');
  });
});
