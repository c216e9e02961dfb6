import { uuidv7 } from '@svc/core';
import { databaseTest } from '@svc/db/testing';
import { expect } from 'vitest';
import { authMigrations } from '../src/migrations.ts';
import { password, someone, tally } from './open-auth.ts';
import { openTenants, urlOf } from './open-tenants.ts';

// On a real PostgreSQL only: PGlite has one connection and cannot show a race.
const test = databaseTest([authMigrations]);

test('50 registrations of one address in two tenants make one user in each', async ({ db }) => {
  const { auth, outbox, a, b, at } = openTenants(db);
  const email = someone();
  const fifty = Array.from({ length: 50 }, (_, index) => (index % 2 === 0 ? a : b));
  const registered = await tally(
    fifty.map((tenantId) => auth.register({ email, password }, at(tenantId))),
  );
  expect(registered).toEqual({ fulfilled: 50, codes: [] });
  await auth.stop();
  const users = await db
    .selectFrom('svc_auth.users')
    .select(['tenant_id', 'email_normalized'])
    .where('email', '=', email)
    .orderBy('tenant_id')
    .execute();
  expect(users.map((user) => user.tenant_id)).toEqual([a, b].toSorted());
  const links = outbox.mails.map(({ data }) => new URL(data.link));
  const tokens = links.map((link) => link.searchParams.get('token') as string);
  expect(links.filter(({ origin }) => origin === urlOf(a))).toHaveLength(25);
  for (const tenantId of [a, b]) {
    const verified = await tally(tokens.map((token) => auth.verify({ token }, at(tenantId))));
    expect(verified).toEqual({ fulfilled: 1, codes: ['auth.invalid_token'] });
  }
});

test('of 50 imports of one address into one tenant one is made', async ({ db }) => {
  const { auth, a } = openTenants(db);
  const staff = { type: 'user', id: uuidv7() } as const;
  const user = { email: someone(), verified: true, tenantId: a };
  const imports = Array.from({ length: 50 }, () => auth.users.import(user, staff));
  expect(await tally(imports)).toEqual({ fulfilled: 1, codes: ['auth.user_exists'] });
});
