import { databaseTest } from '@svc/db/testing';
import { afterAll, beforeAll, expect } from 'vitest';
import { authMigrations } from '../src/migrations.ts';
import { createOAuth } from '../src/oauth.ts';
import { signedIn } from '../src/testing.ts';
import { codeOf, someone, tally } from './open-auth.ts';
import { type Issuer, publicUrl, startIssuer, visit } from './oauth-servers.ts';
import { corp } from './open-oauth.ts';
import { openTenants, urlOf } from './open-tenants.ts';
import type { Db } from '@svc/db';

const test = databaseTest([authMigrations]);
let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer[Symbol.asyncDispose]());

/** One address for all tenants, which the issuer of these tests knows. */
function open(db: Db) {
  const opened = openTenants(db, { publicUrl, tenantUrl: () => publicUrl });
  const { auth, at } = opened;
  const provider = corp(issuer, { trustedDomains: ['example.com'], newAccounts: 'verified' });
  const oauth = createOAuth({ auth, providers: [provider] });
  const goThere = async (tenantId: string) => {
    const { url, browserToken } = await oauth.begin({ provider: 'corp' }, at(tenantId));
    return { provider: 'corp', browserToken, currentUrl: await visit(url) };
  };
  return {
    ...opened,
    oauth,
    goThere,
    signIn: async (tenantId: string) => {
      const done = await oauth.complete(await goThere(tenantId), at(tenantId));
      if (done.status === 'linked') throw new Error('linked');
      return signedIn(done);
    },
  };
}

test("one account at a provider is another user in each tenant, and links to that tenant's users only", async ({
  db,
}) => {
  const { auth, oauth, member, signIn, a, b } = open(db);
  const email = someone();
  const { id } = await member(email, a);
  issuer.person = { sub: 'one', email, email_verified: true };
  const [first, second] = [await signIn(a), await signIn(b)];
  expect(first.user).toMatchObject({ id, tenantId: a });
  expect(second.user.id).not.toBe(id);
  expect(second.user).toMatchObject({ email, tenantId: b });
  expect((await signIn(b)).user.id).toBe(second.user.id);
  const principal = await auth.authenticate(second.token, { tenantId: b });
  if (principal === null) throw new Error('signed in, and not known');
  expect(await oauth.identities(principal)).toMatchObject([
    { issuer: issuer.issuer, subject: 'one' },
  ]);
});

test('what began in one tenant ends in no other', async ({ db }) => {
  const { oauth, goThere, at, a, b } = open(db);
  issuer.person = { sub: 'two', email: someone(), email_verified: true };
  const back = await goThere(a);
  expect(await codeOf(oauth.complete(back))).toBe('auth.tenant_required');
  expect(await codeOf(oauth.complete(back, at(b)))).toBe('auth.oauth_failed');
  expect(await codeOf(oauth.begin({ provider: 'corp' }))).toBe('auth.tenant_required');
});

test('providers send the browser back to where the people of the tenant are', async ({ db }) => {
  const { auth, a, at } = openTenants(db, { publicUrl });
  const oauth = createOAuth({ auth, providers: [corp(issuer)] });
  const { url } = await oauth.begin({ provider: 'corp' }, at(a));
  expect(new URL(url).searchParams.get('redirect_uri')).toBe(
    `${urlOf(a)}/auth/oauth/corp/callback`,
  );
});

test('10 first sign-ins at once make one user in each tenant', async ({ db }) => {
  const { oauth, goThere, at, a, b } = open(db);
  const email = someone();
  issuer.person = { sub: 'three', email, email_verified: true };
  const begun = [];
  for (let each = 0; each < 10; each += 1)
    begun.push({ tenantId: each % 2 === 0 ? a : b, back: await goThere(each % 2 === 0 ? a : b) });
  const ended = begun.map(({ tenantId, back }) => oauth.complete(back, at(tenantId)));
  expect(await tally(ended)).toEqual({ fulfilled: 10, codes: [] });
  const users = await db
    .selectFrom('svc_auth.users')
    .select('tenant_id')
    .where('email', '=', email)
    .execute();
  expect(users.map((user) => user.tenant_id).toSorted()).toEqual([a, b].toSorted());
});
