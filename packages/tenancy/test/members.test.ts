import { uuidv7 } from '@svc/core';
import { recordEvents } from '@svc/core/testing';
import { afterCommit, transact, type Trx } from '@svc/db';
import { describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { acted, createTenancy } from '../src/index.ts';
import { tenancyMigrations } from '../src/migrations.ts';
import { codeOf, openTenancy, somebody } from './open-tenancy.ts';

describeDatabases('members', [tenancyMigrations], (test) => {
  test('who makes a tenant owns it, and finds it among theirs by name', async ({ db }) => {
    const { tenancy } = openTenancy(db);
    const ann = somebody();
    for (const name of ['Zebra', '  Acme  '])
      await tenancy.tenants.create({ name }, { ownerId: ann.userId });
    const own = await tenancy.tenants.listOf(ann.userId);
    expect(own.map(({ name, role }) => [name, role])).toEqual([
      ['Acme', 'owner'],
      ['Zebra', 'owner'],
    ]);
    for (const name of ['', ' ', 'two\nlines', 'x'.repeat(101), 'turned\u202Earound'])
      expect(await codeOf(tenancy.tenants.create({ name }, { ownerId: ann.userId }))).toBe(
        'core.validation_failed',
      );
  });

  test('the service knows whom to tell: the owners, and nobody of another tenant', async ({
    db,
  }) => {
    const { tenancy, tenant } = openTenancy(db);
    const { id, owner, add } = await tenant();
    await add('admin');
    const second = await add('owner');
    await tenant();
    expect(await tenancy.members.owners(id)).toEqual([owner.userId, second.userId].toSorted());
    expect(await tenancy.members.owners('no id')).toEqual([]);
  });

  test('only an owner changes roles and deletes; an admin renames, invites and removes; a member neither', async ({
    db,
  }) => {
    const { tenancy, tenant } = openTenancy(db);
    const { tenants, members, invitations } = tenancy;
    const { id, owner, add } = await tenant();
    const [admin, member, other] = [await add('admin'), await add('member'), await add('member')];
    const acts = {
      changeRole: (by: string) => members.changeRole(id, other.userId, 'member', { by }),
      transfer: (by: string) => tenants.transferOwnership(id, other.userId, { by }),
      removeTenant: (by: string) => tenants.remove(id, { by }),
      rename: (by: string) => tenants.rename(id, { name: 'New' }, { by }),
      invite: (by: string) =>
        invitations.create(id, { email: somebody().email, role: 'member' }, { by }),
      listInvitations: (by: string) => invitations.list(id, { by }),
      removeMember: (by: string) => members.remove(id, other.userId, { by }),
    };
    const outcomes = async (by: string, names: readonly (keyof typeof acts)[]) => {
      const found: Record<string, string> = {};
      for (const name of names) found[name] = await codeOf(acts[name](by));
      return found;
    };
    const all = Object.keys(acts) as (keyof typeof acts)[];
    const each = (code: string) => Object.fromEntries(all.map((name) => [name, code]));
    expect(await outcomes(member.userId, all)).toEqual(each('tenancy.role_required'));
    expect(await outcomes(somebody().userId, all)).toEqual(each('tenancy.tenant_not_found'));
    expect(await outcomes(admin.userId, all)).toEqual({
      ...each('no failure'),
      changeRole: 'tenancy.role_required',
      transfer: 'tenancy.role_required',
      removeTenant: 'tenancy.role_required',
    });
    expect(await outcomes(owner.userId, ['removeTenant'])).toEqual({ removeTenant: 'no failure' });
  });

  test('an admin removes neither admins nor owners; an owner anybody', async ({ db }) => {
    const { tenancy, tenant } = openTenancy(db);
    const { id, owner, add } = await tenant();
    const [admin, peer, coOwner] = [await add('admin'), await add('admin'), await add('owner')];
    const remove = (userId: string, by: string) =>
      codeOf(tenancy.members.remove(id, userId, { by }));
    expect(await remove(peer.userId, admin.userId)).toBe('tenancy.role_required');
    expect(await remove(owner.userId, admin.userId)).toBe('tenancy.role_required');
    expect(await remove(peer.userId, owner.userId)).toBe('no failure');
    expect(await remove(coOwner.userId, owner.userId)).toBe('no failure');
    expect(await remove(uuidv7(), owner.userId)).toBe('tenancy.member_not_found');
    expect(await remove('nobody', owner.userId)).toBe('tenancy.member_not_found');
  });

  test('the last owner can neither leave nor be demoted or removed', async ({ db }) => {
    const { tenancy, tenant } = openTenancy(db);
    const { members } = tenancy;
    const { id, owner, add } = await tenant();
    const by = { by: owner.userId };
    const attempts = [
      () => members.leave(id, by),
      () => members.changeRole(id, owner.userId, 'admin', by),
      () => members.remove(id, owner.userId, by),
    ];
    for (const attempt of attempts) expect(await codeOf(attempt())).toBe('tenancy.last_owner');
    const second = await add('owner');
    expect(await codeOf(members.leave(id, by))).toBe('no failure');
    expect(await codeOf(members.leave(id, { by: second.userId }))).toBe('tenancy.last_owner');
  });

  test('ownership is handed to a member, and to nobody else', async ({ db }) => {
    const { tenancy, tenant } = openTenancy(db);
    const { id, owner, add } = await tenant();
    const heir = await add('member');
    const to = (userId: string) =>
      codeOf(tenancy.tenants.transferOwnership(id, userId, { by: owner.userId }));
    expect(await to(owner.userId)).toBe('core.validation_failed');
    // The database takes an id in any spelling.
    expect(await to(owner.userId.toUpperCase())).toBe('core.validation_failed');
    expect(await to(somebody().userId)).toBe('tenancy.member_not_found');
    expect(await to(heir.userId)).toBe('no failure');
    const roleOf = async (userId: string) => (await tenancy.membershipOf(id, userId))?.role;
    expect([await roleOf(heir.userId), await roleOf(owner.userId)]).toEqual(['owner', 'admin']);
  });

  test('who has handed ownership over has no way back by an invitation they made, nor by one in place of the owner’s', async ({
    db,
  }) => {
    const { tenancy, tenant, tokenOf } = openTenancy(db);
    const { id, owner, add } = await tenant();
    const [heir, accomplice, guest] = [await add('member'), somebody(), somebody()];
    const invite = (who: { email: string }, role: 'owner' | 'member', by: string) =>
      tenancy.invitations.create(id, { email: who.email, role }, { by });
    await invite(accomplice, 'owner', owner.userId);
    const token = tokenOf(accomplice.email);
    await tenancy.tenants.transferOwnership(id, heir.userId, { by: owner.userId });
    expect(await codeOf(tenancy.invitations.accept({ token, ...accomplice }))).toBe(
      'tenancy.invalid_invitation',
    );
    await invite(guest, 'owner', heir.userId);
    expect(await codeOf(invite(guest, 'member', owner.userId))).toBe('tenancy.role_required');
    expect(
      await codeOf(tenancy.invitations.accept({ token: tokenOf(guest.email), ...guest })),
    ).toBe('no failure');
  });

  test('a removed member is none with the next request', async ({ db }) => {
    const { tenancy, tenant } = openTenancy(db);
    const { id, owner, add } = await tenant();
    const { userId } = await add('member');
    expect(await tenancy.membershipOf(id, userId)).toMatchObject({ role: 'member' });
    await tenancy.members.remove(id, userId, { by: owner.userId });
    expect(await tenancy.membershipOf(id, userId)).toBeNull();
    expect(await tenancy.tenants.listOf(userId)).toEqual([]);
  });

  test('members are listed to members, page by page', async ({ db }) => {
    const { tenancy, tenant } = openTenancy(db);
    const { id, owner, add } = await tenant();
    const ids = [
      owner.userId,
      (await add('member')).userId,
      (await add('admin')).userId,
    ].toSorted();
    const page = (after?: string) =>
      tenancy.members.list(id, { by: owner.userId, limit: 2, after });
    const first = await page();
    const second = await page(first.at(-1)?.userId);
    expect([...first, ...second].map(({ userId }) => userId)).toEqual(ids);
    const stranger = tenancy.members.list(id, { by: somebody().userId, limit: 2 });
    expect(await codeOf(stranger)).toBe('tenancy.tenant_not_found');
  });

  test('a suspended tenant lets nobody act but leave, and says why only to staff', async ({
    db,
  }) => {
    const { tenancy, tenant } = openTenancy(db);
    const { id, owner, add } = await tenant();
    const member = await add('member');
    const staff = { type: 'user', id: uuidv7() } as const;
    expect(await codeOf(tenancy.tenants.suspend(id, { reason: ' ' }, staff))).toBe(
      'core.validation_failed',
    );
    await tenancy.tenants.suspend(id, { reason: 'unpaid' }, staff);
    expect(await tenancy.tenants.find(id)).toMatchObject({ suspendedReason: 'unpaid' });
    expect(await tenancy.tenants.get(id, { by: owner.userId })).not.toHaveProperty(
      'suspendedReason',
    );
    const by = { by: owner.userId };
    expect(await codeOf(tenancy.tenants.rename(id, { name: 'New' }, by))).toBe('tenancy.suspended');
    expect(await codeOf(tenancy.tenants.remove(id, by))).toBe('tenancy.suspended');
    expect(await codeOf(tenancy.members.leave(id, { by: member.userId }))).toBe('no failure');
    await tenancy.tenants.resume(id, staff);
    expect(await codeOf(tenancy.tenants.rename(id, { name: 'New' }, by))).toBe('no failure');
  });

  test('a tenant that an owner deletes exists for nobody, and its deletion is queued in the same transaction', async ({
    db,
  }) => {
    const queued: string[] = [];
    const { tenancy, tenant } = openTenancy(db, {
      onDeletionRequested: async (tenantId, { within }) => {
        expect(within.isTransaction).toBe(true);
        queued.push(tenantId);
      },
    });
    const { id, owner } = await tenant();
    await tenancy.tenants.remove(id, { by: owner.userId });
    expect(queued).toEqual([id]);
    expect(await tenancy.membershipOf(id, owner.userId)).toBeNull();
    expect(await codeOf(tenancy.tenants.remove(id, { by: owner.userId }))).toBe(
      'tenancy.tenant_not_found',
    );
    expect(await tenancy.tenants.find(id)).toMatchObject({
      deletionRequestedAt: expect.any(Date),
    });
  });

  test('every act is audited in its transaction with its tenant, and told after the commit', async ({
    db,
  }) => {
    const { tenancy, audited, tenant } = openTenancy(db);
    const { id, owner, add } = await tenant();
    const member = await add('member');
    using told = recordEvents(acted);
    const origin = { address: '192.0.2.1', requestId: 'r-1', apiKeyId: 'key-1' };
    audited.length = 0;
    await tenancy.members.changeRole(id, member.userId, 'admin', { by: owner.userId, origin });
    await codeOf(tenancy.tenants.remove(id, { by: member.userId }));
    expect(audited).toEqual([
      {
        type: 'tenancy.member.role_changed',
        tenantId: id,
        actor: { type: 'api_key', id: 'key-1' },
        target: { type: 'user', id: member.userId },
        details: { role: 'admin', former: 'member' },
        requestId: 'r-1',
        personal: { address: '192.0.2.1', device: null },
      },
      {
        type: 'tenancy.access.denied',
        outcome: 'denied',
        tenantId: id,
        actor: { type: 'user', id: member.userId },
        target: { type: 'tenant', id },
        details: { act: 'remove_tenant' },
        requestId: null,
        personal: { address: null, device: null },
      },
    ]);
    expect(told.events.map(({ payload }) => payload.type)).toEqual([
      'tenancy.member.role_changed',
      'tenancy.access.denied',
    ]);
  });

  test("what the caller's transaction takes back has not happened", async ({ db }) => {
    const { tenancy, mails } = openTenancy(db);
    const { userId } = somebody();
    const work = transact(db, async (trx) => {
      const options = { ownerId: userId, within: trx };
      const { id } = await tenancy.tenants.create({ name: 'Acme' }, options);
      const email = somebody().email;
      await tenancy.invitations.create(id, { email, role: 'member' }, { by: userId, within: trx });
      throw new Error('taken back');
    });
    await expect(work).rejects.toThrow('taken back');
    expect([await tenancy.tenants.listOf(userId), mails]).toEqual([[], []]);
  });

  test("what was denied in the caller's transaction is audited, though that is taken back", async ({
    db,
  }) => {
    const kept: unknown[] = [];
    const { tenancy, tenant } = openTenancy(db, {
      audit: async ({ type, details }, { within }) =>
        afterCommit(within, () => void kept.push([type, details])),
    });
    const { id, add } = await tenant();
    const { userId: by } = await add('member');
    kept.length = 0;
    for (const act of [
      (within: Trx) => tenancy.tenants.rename(id, { name: 'Taken' }, { by, within }),
      (within: Trx) => tenancy.tenants.cancelRemoval(id, { by, within }),
    ])
      expect(await codeOf(transact<unknown>(db, act))).toBe('tenancy.role_required');
    expect(kept).toEqual([
      ['tenancy.access.denied', { act: 'rename' }],
      ['tenancy.access.denied', { act: 'cancel_removal' }],
    ]);
  });

  test('an app adds roles of its own between those that every app has', async ({ db }) => {
    const tenancy = createTenancy({
      db,
      sendMail: async () => {},
      publicUrl: 'https://app.example.com',
      appName: 'Projects',
      roles: ['guest', 'member', 'admin', 'steward', 'owner'],
    });
    const { userId } = somebody();
    const { id } = await tenancy.tenants.create({ name: 'Acme' }, { ownerId: userId });
    const { email } = somebody();
    const by = { by: userId };
    const invitation = await tenancy.invitations.create(id, { email, role: 'steward' }, by);
    expect(invitation.role).toBe('steward');
    expect(tenancy.ladder.reaches('steward', 'admin')).toBe(true);
    expect(tenancy.ladder.reaches('guest', 'member')).toBe(false);
    expect(tenancy.ladder.reaches('nobody', 'guest')).toBe(false);
    for (const roles of [
      ['member', 'owner', 'admin'],
      ['owner'],
      ['admin', 'owner'],
      ['A', 'admin', 'owner'],
    ])
      expect(() =>
        createTenancy({
          db,
          sendMail: async () => {},
          publicUrl: 'https://a.example',
          appName: 'A',
          roles,
        }),
      ).toThrow(TypeError);
  });
});
