import { transact } from '@svc/db';
import { databaseTest, describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { tenancyMigrations } from '../src/migrations.ts';
import { codeOf, openTenancy, somebody, tally } from './open-tenancy.ts';

const staff = { type: 'user', id: '01900000-0000-7000-8000-000000000009' } as const;

describeDatabases('a user who is deleted', [tenancyMigrations], (test) => {
  test('is a member nowhere any more, and what they selected and invited is over', async ({
    db,
  }) => {
    const { tenancy, tenant, tokenOf, audited } = openTenancy(db);
    const [one, two] = [await tenant(), await tenant()];
    const leaver = await one.add('admin');
    const { email } = leaver;
    await tenancy.invitations.create(two.id, { email, role: 'member' }, { by: two.owner.userId });
    await tenancy.invitations.accept({ token: tokenOf(email), ...leaver });
    await tenancy.select({ kind: 'session', id: 's' }, one.id, leaver.userId);
    const guest = somebody();
    const invitation = { email: guest.email, role: 'member' } as const;
    await tenancy.invitations.create(one.id, invitation, { by: leaver.userId });
    await tenancy.members.removeFromAll(leaver.userId, staff);
    expect(await tenancy.tenants.listOf(leaver.userId)).toEqual([]);
    expect(await tenancy.selectedBy({ kind: 'session', id: 's' })).toBeNull();
    const accepting = tenancy.invitations.accept({ token: tokenOf(guest.email), ...guest });
    expect(await codeOf(accepting)).toBe('tenancy.invalid_invitation');
    const removed = audited.filter(({ type }) => type === 'tenancy.member.removed');
    expect(removed.map(({ tenantId, actor, target }) => [tenantId, actor, target.id])).toEqual(
      [one.id, two.id].map((id) => [id, staff, leaver.userId]),
    );
    for (const { id, owner } of [one, two])
      expect((await tenancy.membershipOf(id, owner.userId))?.role).toBe('owner');
  });

  test('has lost what the app gave them as a member, and so has who leaves or is removed', async ({
    db,
  }) => {
    const ended: string[][] = [];
    const { tenancy, tenant } = openTenancy(db, {
      onMemberRemoved: async (tenantId, userId, { within }) => {
        expect(await tenancy.membershipOf(tenantId, userId, { within })).toBeNull();
        ended.push([tenantId, userId]);
      },
    });
    const { id, owner, add } = await tenant();
    const [one, two, three] = [await add('member'), await add('member'), await add('member')];
    await tenancy.members.remove(id, one.userId, { by: owner.userId });
    await tenancy.members.leave(id, { by: two.userId });
    await tenancy.members.removeFromAll(three.userId, staff);
    await tenancy.members.removeFromAll(owner.userId, staff);
    const gone = [one, two, three, owner].map(({ userId }) => [id, userId]);
    expect(ended).toEqual(gone);
  });

  test('takes with them the tenants that have nobody else, and no other', async ({ db }) => {
    const requested: string[] = [];
    const { tenancy, tenant, audited } = openTenancy(db, {
      onDeletionRequested: async (id, { within }) => {
        expect(within.isTransaction).toBe(true);
        requested.push(id);
      },
    });
    const { id, owner } = await tenant();
    const other = await tenant();
    await tenancy.members.removeFromAll(owner.userId, staff);
    expect(requested).toEqual([id]);
    expect((await tenancy.tenants.find(id))?.deletionRequestedAt).not.toBeNull();
    expect((await tenancy.tenants.find(other.id))?.deletionRequestedAt).toBeNull();
    expect(audited.filter((each) => each.tenantId === id).map(({ type }) => type)).toEqual([
      'tenancy.tenant.created',
      'tenancy.member.removed',
      'tenancy.tenant.deletion_requested',
    ]);
    await tenancy.members.removeFromAll(owner.userId, staff);
    expect(requested).toEqual([id]);
  });

  test('is kept where others would be left without an owner, and stays a member everywhere', async ({
    db,
  }) => {
    const { tenancy, tenant } = openTenancy(db);
    const { id, owner, add } = await tenant();
    const alone = await tenancy.tenants.create({ name: 'Own' }, { ownerId: owner.userId });
    const heir = await add('admin');
    const remove = () =>
      codeOf(
        transact(db, (within) => tenancy.members.removeFromAll(owner.userId, staff, { within })),
      );
    expect(await remove()).toBe('tenancy.last_owner');
    expect(await tenancy.tenants.listOf(owner.userId)).toHaveLength(2);
    expect((await tenancy.tenants.find(alone.id))?.deletionRequestedAt).toBeNull();
    await tenancy.members.changeRole(id, heir.userId, 'owner', { by: owner.userId });
    expect(await remove()).toBe('no failure');
    expect((await tenancy.membershipOf(id, heir.userId))?.role).toBe('owner');
  });
});

// On a real PostgreSQL only: PGlite has one connection and cannot show a race.
databaseTest([tenancyMigrations])(
  'of 20 owners who are deleted at once, with a member left, one stays',
  async ({ db }) => {
    const { tenancy, tenant } = openTenancy(db);
    const { id, owner, add } = await tenant();
    await add('member');
    const owners = [owner];
    while (owners.length < 20) owners.push(await add('owner'));
    const leaving = owners.map(({ userId }) => tenancy.members.removeFromAll(userId, staff));
    expect(await tally(leaving)).toEqual({ fulfilled: 19, codes: ['tenancy.last_owner'] });
    expect((await tenancy.tenants.find(id))?.deletionRequestedAt).toBeNull();
  },
);
