import { transact } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { expect } from 'vitest';
import { tenancyMigrations } from '../src/migrations.ts';
import { openTenancy, somebody, tally } from './open-tenancy.ts';

// On a real PostgreSQL only: PGlite has one connection and cannot show a race.
const test = databaseTest([tenancyMigrations]);
const fifty = <Result>(act: (index: number) => Promise<Result>) =>
  Array.from({ length: 50 }, (_, index) => act(index));

test('of 50 owners who leave at once, one stays', async ({ db }) => {
  const { tenancy, tenant } = openTenancy(db);
  const { id, owner, add } = await tenant();
  const owners = [owner];
  while (owners.length < 50) owners.push(await add('owner'));
  const leaving = owners.map(({ userId }) => tenancy.members.leave(id, { by: userId }));
  expect(await tally(leaving)).toEqual({ fulfilled: 49, codes: ['tenancy.last_owner'] });
});

test('of two owners who demote and remove each other at once, one stays an owner', async ({
  db,
}) => {
  const { tenancy, tenant } = openTenancy(db);
  for (let round = 0; round < 10; round += 1) {
    const { id, owner, add } = await tenant();
    const other = await add('owner');
    const pairs = [
      [owner.userId, other.userId],
      [other.userId, owner.userId],
    ] as const;
    await Promise.allSettled([
      ...pairs.map(([by, whom]) => tenancy.members.changeRole(id, whom, 'member', { by })),
      ...pairs.map(([by, whom]) => tenancy.members.remove(id, whom, { by })),
      ...pairs.map(([by]) => tenancy.members.leave(id, { by })),
    ]);
    const [mine, theirs] = await Promise.all(
      pairs.map(([userId]) => tenancy.membershipOf(id, userId)),
    );
    expect([mine?.role, theirs?.role]).toContain('owner');
  }
});

test('an invitation that 50 use at once is used once', async ({ db }) => {
  const { tenancy, tenant, tokenOf } = openTenancy(db);
  const { id, owner } = await tenant();
  const guest = somebody();
  const { email } = guest;
  await tenancy.invitations.create(id, { email, role: 'member' }, { by: owner.userId });
  const token = tokenOf(email);
  const accepting = fifty(() => tenancy.invitations.accept({ token, ...guest }));
  expect(await tally(accepting)).toEqual({
    fulfilled: 1,
    codes: ['tenancy.invalid_invitation'],
  });
});

test('of 50 invitations of one address at once, the newest alone is open', async ({ db }) => {
  const { tenancy, tenant, mails } = openTenancy(db);
  const { id, owner } = await tenant();
  const guest = somebody();
  const by = { by: owner.userId };
  const inviting = fifty(() =>
    tenancy.invitations.create(id, { email: guest.email, role: 'member' }, by),
  );
  expect(await tally(inviting)).toEqual({ fulfilled: 50, codes: [] });
  expect(await tenancy.invitations.list(id, by)).toHaveLength(1);
  const tokens = mails.map(({ data }) => new URL(data.link).searchParams.get('token') ?? '');
  const accepting = tokens.map((token) => tenancy.invitations.accept({ token, ...guest }));
  expect(await tally(accepting)).toEqual({
    fulfilled: 1,
    codes: ['tenancy.invalid_invitation'],
  });
});

test('an admin who is removed while inviting leaves no open invitation behind', async ({ db }) => {
  const { tenancy, tenant } = openTenancy(db);
  const { id, owner, add } = await tenant();
  const admin = await add('admin');
  const inviting = fifty(() =>
    tenancy.invitations.create(
      id,
      { email: somebody().email, role: 'admin' },
      { by: admin.userId },
    ),
  );
  const removing = tenancy.members.remove(id, admin.userId, { by: owner.userId });
  await Promise.allSettled([...inviting, removing]);
  expect(await tenancy.invitations.list(id, { by: owner.userId })).toEqual([]);
});

test('invitations at once do not exceed how many may be open', async ({ db }) => {
  const { tenancy, tenant } = openTenancy(db, { invitations: { maxOpen: 5 } });
  const { id, owner } = await tenant();
  const inviting = fifty(() =>
    tenancy.invitations.create(
      id,
      { email: somebody().email, role: 'member' },
      { by: owner.userId },
    ),
  );
  expect(await tally(inviting)).toEqual({
    fulfilled: 5,
    codes: ['tenancy.too_many_invitations'],
  });
});

test('a membership that is asked for within a transaction lasts as long as that', async ({
  db,
}) => {
  const { tenancy, tenant } = openTenancy(db);
  const { id, owner, add } = await tenant();
  const { userId } = await add('member');
  let removing: Promise<void> | undefined;
  let isRemoved = false;
  await transact(db, async (within) => {
    expect(await tenancy.membershipOf(id, userId, { within })).toMatchObject({ role: 'member' });
    removing = tenancy.members
      .remove(id, userId, { by: owner.userId })
      .then(() => void (isRemoved = true));
    // Long enough for the removal to end, if nothing holds it up.
    for (let asked = 0; asked < 50; asked += 1) await tenancy.membershipOf(id, userId);
    expect(isRemoved).toBe(false);
  });
  await removing;
  const after = await transact(db, (within) => tenancy.membershipOf(id, userId, { within }));
  expect(after).toBeNull();
});
