import { uuidv7 } from '@svc/core';
import { type Db, transact, type Trx } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { createAuthorization } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { openAuth } from './open-auth.ts';

// On a real PostgreSQL only: PGlite has one connection and cannot show a race.
const test = databaseTest([
  authMigrations,
  {
    schema: 'app',
    steps: [
      {
        name: '001_members',
        up: [
          `create table app.members (tenant_id uuid, user_id uuid, primary key (tenant_id, user_id))`,
        ],
        down: [`drop table app.members`],
      },
    ],
  },
]);

const authorization = createAuthorization({
  permissions: ['project.read'],
  roles: { user: ['project.read'] },
});
const scopes = ['project.read'];
const system = { type: 'system', id: null } as const;

/** Whether somebody is a member, who stays one until the transaction ends. */
const isMember = async (userId: string, tenantId: string, { within }: { within: Trx }) => {
  const { rows } = await sql`
    select user_id from app.members where tenant_id = ${tenantId} and user_id = ${userId}
    for key share`.execute(within);
  return rows.length > 0;
};

const join = (db: Db, tenantId: string, userId: string) =>
  sql`insert into app.members values (${tenantId}, ${userId})`.execute(db);

test('who is removed while they make and rotate keys for a tenant keeps none', async ({ db }) => {
  const { auth, session } = openAuth(db, { authorization, apiKeys: { isMember } });
  const { principal } = await session();
  const { userId } = principal;
  for (let round = 0; round < 15; round += 1) {
    const tenantId = uuidv7();
    await join(db, tenantId, userId);
    const { apiKey } = await auth.apiKeys.create(principal, { name: 'x', scopes, tenantId });
    const remove = transact(db, async (within) => {
      await sql`delete from app.members where tenant_id = ${tenantId}`.execute(within);
      await auth.apiKeys.ofTenant.revokeAll(tenantId, { userId }, system, { within });
    });
    const makers = Array.from({ length: 4 }, () =>
      auth.apiKeys.create(principal, { name: 'x', scopes, tenantId }),
    );
    const settled = await Promise.allSettled([
      ...makers,
      auth.apiKeys.rotate(principal, apiKey.id),
      remove,
    ]);
    expect(settled.at(-1)?.status).toBe('fulfilled');
    expect(await auth.apiKeys.ofTenant.list(tenantId, { limit: 9 })).toEqual([]);
  }
});
