import { sha256, uuidv7 } from '@svc/core';
import { describeDatabases } from '@svc/db/testing';
import * as v from 'valibot';
import { expect } from 'vitest';
import { type TenancyMailRequest, TenancyMailRequestSchema } from '../src/index.ts';
import { tenancyMigrations } from '../src/migrations.ts';
import { tablesOf } from '../src/tables.ts';
import { codeOf, openTenancy, somebody } from './open-tenancy.ts';

describeDatabases('invitations', [tenancyMigrations], (test) => {
  test('an invitation makes the person of its address a member, once', async ({ db }) => {
    const { tenancy, tokenOf, tenant, mails } = openTenancy(db);
    const { id, owner } = await tenant();
    const guest = somebody();
    const invitation = await tenancy.invitations.create(
      id,
      { email: ` ${guest.email.toUpperCase()} `, role: 'admin' },
      { by: owner.userId },
    );
    const [mail] = mails;
    expect(mail).toEqual({
      template: 'invitation',
      to: guest.email.toUpperCase().replace('EXAMPLE.COM', 'example.com'),
      data: {
        appName: 'Projects',
        link: expect.stringMatching(
          /^https:\/\/app\.example\.com\/invitations\/accept\?token=[\w-]{43}$/,
        ),
        expiresInMinutes: 7 * 24 * 60,
      },
    });
    const token = tokenOf(mail?.to ?? '');
    expect(await tenancy.invitations.preview(token)).toEqual({
      tenantName: 'Acme',
      role: 'admin',
      expiresAt: invitation.expiresAt,
    });
    const membership = await tenancy.invitations.accept({ token, ...guest });
    expect(membership).toMatchObject({ tenantId: id, userId: guest.userId, role: 'admin' });
    expect(await tenancy.invitations.preview(token)).toBeNull();
    expect(await codeOf(tenancy.invitations.accept({ token, ...guest }))).toBe(
      'tenancy.invalid_invitation',
    );
    expect(await tenancy.invitations.list(id, { by: owner.userId })).toEqual([]);
  });

  test('an invitation is refused for another address, which is audited, and stays open', async ({
    db,
  }) => {
    const { tenancy, tokenOf, tenant, audited } = openTenancy(db);
    const { id, owner } = await tenant();
    const [guest, thief] = [somebody(), somebody()];
    const { email } = guest;
    await tenancy.invitations.create(id, { email, role: 'member' }, { by: owner.userId });
    const token = tokenOf(email);
    expect(await codeOf(tenancy.invitations.accept({ token, ...thief }))).toBe(
      'tenancy.invitation_for_another',
    );
    expect(audited.at(-1)).toMatchObject({
      type: 'tenancy.access.denied',
      tenantId: id,
      actor: { id: thief.userId },
    });
    expect(await tenancy.membershipOf(id, thief.userId)).toBeNull();
    expect(await codeOf(tenancy.invitations.accept({ token, ...guest }))).toBe('no failure');
  });

  test('a newer invitation, a week, or a revocation end it', async ({ db }) => {
    const { tenancy, tokenOf, tenant, clock } = openTenancy(db);
    const { invitations } = tenancy;
    const { id, owner } = await tenant();
    const by = { by: owner.userId };
    const guest = somebody();
    const invite = () => invitations.create(id, { email: guest.email, role: 'member' }, by);
    const accept = (token: string) => codeOf(invitations.accept({ token, ...guest }));
    await invite();
    const former = tokenOf(guest.email);
    const newer = await invite();
    expect(await accept(former)).toBe('tenancy.invalid_invitation');
    expect((await invitations.list(id, by)).map((each) => each.id)).toEqual([newer.id]);
    await invitations.revoke(id, newer.id, by);
    expect(await accept(tokenOf(guest.email))).toBe('tenancy.invalid_invitation');
    expect(await codeOf(invitations.revoke(id, newer.id, by))).toBe('tenancy.invitation_not_found');
    await invite();
    await clock.advance('7d');
    expect(await accept(tokenOf(guest.email))).toBe('tenancy.invalid_invitation');
    expect(await invitations.list(id, by)).toEqual([]);
    await invite();
    expect(await accept(tokenOf(guest.email))).toBe('no failure');
  });

  test('nobody invites to a role above their own, nor revokes such an invitation', async ({
    db,
  }) => {
    const { tenancy, tenant } = openTenancy(db);
    const { id, owner, add } = await tenant();
    const admin = await add('admin');
    const invite = (role: 'admin' | 'owner', by: string) =>
      tenancy.invitations.create(id, { email: somebody().email, role }, { by });
    expect(await codeOf(invite('owner', admin.userId))).toBe('tenancy.role_required');
    expect(await codeOf(invite('admin', admin.userId))).toBe('no failure');
    const theirs = await invite('owner', owner.userId);
    const revoke = tenancy.invitations.revoke(id, theirs.id, { by: admin.userId });
    expect(await codeOf(revoke)).toBe('tenancy.role_required');
    const unknown = tenancy.invitations.create(
      id,
      { email: somebody().email, role: 'emperor' as 'owner' },
      { by: owner.userId },
    );
    expect(await codeOf(unknown)).toBe('core.validation_failed');
  });

  test('who loses the right to invite loses the invitations that are open', async ({ db }) => {
    const { tenancy, tokenOf, tenant } = openTenancy(db);
    const { id, owner, add } = await tenant();
    const [leaver, demoted] = [await add('admin'), await add('owner')];
    const invite = async (role: 'member' | 'owner', by: string) => {
      const guest = somebody();
      await tenancy.invitations.create(id, { email: guest.email, role }, { by });
      return () => codeOf(tenancy.invitations.accept({ token: tokenOf(guest.email), ...guest }));
    };
    const fromLeaver = await invite('member', leaver.userId);
    const [high, low] = [
      await invite('owner', demoted.userId),
      await invite('member', demoted.userId),
    ];
    await tenancy.members.leave(id, { by: leaver.userId });
    await tenancy.members.changeRole(id, demoted.userId, 'admin', { by: owner.userId });
    expect([await fromLeaver(), await high(), await low()]).toEqual([
      'tenancy.invalid_invitation',
      'tenancy.invalid_invitation',
      'no failure',
    ]);
  });

  test('one of somebody who is shut out of the app admits nobody until they are back', async ({
    db,
  }) => {
    const disabled = new Set<string>();
    const { tenancy, tenant, tokenOf } = openTenancy(db, {
      invitations: {
        mayInvite: async (userId, { within }) => {
          expect(within.isTransaction).toBe(true);
          return !disabled.has(userId);
        },
      },
    });
    const { id, add } = await tenant();
    const [admin, guest] = [await add('admin'), somebody()];
    const invitation = { email: guest.email, role: 'member' } as const;
    await tenancy.invitations.create(id, invitation, { by: admin.userId });
    const token = tokenOf(guest.email);
    disabled.add(admin.userId);
    expect(await tenancy.invitations.preview(token)).toBeNull();
    const accept = () => tenancy.invitations.accept({ token, ...guest });
    expect(await codeOf(accept())).toBe('tenancy.invalid_invitation');
    expect(await tenancy.membershipOf(id, guest.userId)).toBeNull();
    disabled.clear();
    expect(await tenancy.invitations.preview(token)).not.toBeNull();
    expect(await accept()).toMatchObject({ tenantId: id, role: 'member' });
  });

  test('who is a member already keeps their role', async ({ db }) => {
    const { tenancy, tokenOf, tenant } = openTenancy(db);
    const { id, owner } = await tenant();
    await tenancy.invitations.create(
      id,
      { email: owner.email, role: 'member' },
      { by: owner.userId },
    );
    const token = tokenOf(owner.email);
    expect(await tenancy.invitations.accept({ token, ...owner })).toMatchObject({ role: 'owner' });
  });

  test('invitations of another tenant, of a suspended one and of one that is deleted are of no use', async ({
    db,
  }) => {
    const { tenancy, tokenOf, tenant } = openTenancy(db);
    const [acme, other] = [await tenant(), await tenant()];
    const guest = somebody();
    const { email } = guest;
    const by = { by: acme.owner.userId };
    const { id } = await tenancy.invitations.create(acme.id, { email, role: 'member' }, by);
    const revoke = tenancy.invitations.revoke(other.id, id, { by: other.owner.userId });
    expect(await codeOf(revoke)).toBe('tenancy.invitation_not_found');
    const accept = () => codeOf(tenancy.invitations.accept({ token: tokenOf(email), ...guest }));
    const staff = { type: 'system', id: null, reason: 'a test' } as const;
    await tenancy.tenants.suspend(acme.id, { reason: 'unpaid' }, staff);
    expect(await accept()).toBe('tenancy.suspended');
    await tenancy.tenants.resume(acme.id, staff);
    await tenancy.tenants.remove(acme.id, by);
    expect(await accept()).toBe('tenancy.invalid_invitation');
    expect(await tenancy.invitations.preview(tokenOf(email))).toBeNull();
  });

  test('a tenant has so many open invitations, and no more', async ({ db }) => {
    const { tenancy, tenant } = openTenancy(db, { invitations: { maxOpen: 2 } });
    const { id, owner } = await tenant();
    const invite = (email: string) =>
      codeOf(tenancy.invitations.create(id, { email, role: 'member' }, { by: owner.userId }));
    const { email } = somebody();
    expect(await invite(email)).toBe('no failure');
    expect(await invite(somebody().email)).toBe('no failure');
    expect(await invite(somebody().email)).toBe('tenancy.too_many_invitations');
    expect(await invite(email)).toBe('no failure');
  });

  test('what is no address is refused, without a word of it', async ({ db }) => {
    const { tenancy, tenant } = openTenancy(db);
    const { id, owner } = await tenant();
    for (const email of [
      '',
      'ann',
      'ann@localhost',
      'ann@example.com\n',
      'Ann <ann@example.com>',
      'ann@127.0.0.1',
      'ann@example.com,bob@example.com',
      `${'x'.repeat(65)}@example.com`,
      'ann@exa mple.com',
    ]) {
      const invite = tenancy.invitations.create(
        id,
        { email, role: 'member' },
        { by: owner.userId },
      );
      const error: unknown = await invite.catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'core.validation_failed' });
      if (email !== '') expect(JSON.stringify(error)).not.toContain(email.slice(0, 10));
    }
  });

  test('the token is in the mail alone: not in the table, and not in the log when the mail fails', async ({
    db,
  }) => {
    const sent: string[] = [];
    const { tenancy, tenant, logger, audited } = openTenancy(db, {
      sendMail: async ({ data }) => {
        sent.push(data.link);
        throw new Error(`the mail with ${data.link} could not be sent`);
      },
    });
    const { id, owner } = await tenant();
    const { email } = somebody();
    await tenancy.invitations.create(id, { email, role: 'member' }, { by: owner.userId });
    const token = new URL(sent[0] ?? '').searchParams.get('token') ?? '';
    expect(token).toHaveLength(43);
    expect(logger.lines).toHaveLength(1);
    expect(JSON.stringify([logger.lines, audited])).not.toContain(token);
    expect(audited.at(-1)?.personal).toMatchObject({ email });
    const row = await tablesOf(db)
      .selectFrom('svc_tenancy.invitations')
      .selectAll()
      .where('tenant_id', '=', id)
      .executeTakeFirstOrThrow();
    expect(Buffer.from(row.token_hash ?? [])).toEqual(Buffer.from(sha256(token)));
    expect(JSON.stringify(row)).not.toContain(token);
  });

  test('nothing that is queued leads to a token, and each delivery makes one that takes the place of the former', async ({
    db,
  }) => {
    const queue: TenancyMailRequest[] = [];
    const { tenancy, tenant, mails, tokenOf } = openTenancy(db, {
      queueMail: async (request, { within }) => {
        if (!within.isTransaction) throw new TypeError('a mail is queued in a transaction');
        queue.push(request);
      },
    });
    const { id, owner } = await tenant();
    const guest = somebody();
    const input = { email: guest.email, role: 'member' } as const;
    const { id: invitationId } = await tenancy.invitations.create(id, input, { by: owner.userId });
    const request = { template: 'invitation', invitationId } as const;
    expect(queue).toEqual([request]);
    v.assert(TenancyMailRequestSchema, queue[0]);
    expect(mails).toEqual([]);
    const hashes = tablesOf(db).selectFrom('svc_tenancy.invitations').select('token_hash');
    const { token_hash: hash } = await hashes
      .where('id', '=', invitationId)
      .executeTakeFirstOrThrow();
    expect(hash).toBeNull();
    await Promise.all(Array.from({ length: 50 }, () => tenancy.deliverMail(request)));
    const tokens = mails.map(({ data }) => new URL(data.link).searchParams.get('token') ?? '');
    expect(new Set(tokens).size).toBe(50);
    const previews = await Promise.all(tokens.map((token) => tenancy.invitations.preview(token)));
    expect(previews.filter((each) => each !== null)).toHaveLength(1);
    await tenancy.deliverMail(request);
    const former = tokens[previews.findIndex((each) => each !== null)] ?? '';
    expect(await tenancy.invitations.preview(former)).toBeNull();
    await tenancy.invitations.accept({ token: tokenOf(guest.email), ...guest });
    // Accepted, revoked, or nobody's: over.
    await tenancy.deliverMail(request);
    const next = { ...input, email: somebody().email };
    const by = { by: owner.userId };
    const revoked = await tenancy.invitations.create(id, next, by);
    await tenancy.invitations.revoke(id, revoked.id, by);
    await tenancy.deliverMail({ ...request, invitationId: revoked.id });
    await tenancy.deliverMail({ ...request, invitationId: uuidv7() });
    expect(mails).toHaveLength(51);
  });

  test('a mail that cannot be sent is thrown without its token', async ({ db }) => {
    let link = '';
    const { tenancy, tenant } = openTenancy(db, {
      queueMail: async () => {},
      sendMail: async ({ data }) => {
        link = data.link;
        throw new Error(`could not deliver ${data.link}`);
      },
    });
    const { id, owner } = await tenant();
    const input = { email: somebody().email, role: 'member' } as const;
    const { id: invitationId } = await tenancy.invitations.create(id, input, { by: owner.userId });
    const request = { template: 'invitation', invitationId } as const;
    const error: unknown = await tenancy.deliverMail(request).catch((thrown: unknown) => thrown);
    expect(String(error)).toBe(
      `Error: could not deliver ${link.replace(/token=.*/, 'token=[token]')}`,
    );
  });

  test('what a session or a key had selected is purged once that is over', async ({ db }) => {
    const over = new Set(['session 1', 'api_key 1']);
    const { tenancy, tenant, clock } = openTenancy(db, {
      findOver: async (kind, ids) => ids.filter((id) => over.has(`${kind} ${id}`)),
    });
    const { id: tenantId, owner } = await tenant();
    const selectors = [
      ['session', '1'],
      ['session', '2'],
      ['api_key', '1'],
      ['api_key', '2'],
    ] as const;
    for (const [kind, id] of selectors) await tenancy.select({ kind, id }, tenantId, owner.userId);
    expect(await tenancy.purge()).toMatchObject({ selections: 2 });
    const left = selectors.map(([kind, id]) => tenancy.selectedBy({ kind, id }));
    expect(await Promise.all(left)).toEqual([null, tenantId, null, tenantId]);
    // More than are asked for at once.
    const more = Array.from({ length: 1100 }, (_, index) => `more ${index}`);
    const row = { kind: 'session', user_id: owner.userId, tenant_id: tenantId };
    await db
      .insertInto('svc_tenancy.selections')
      .values(more.map((id) => ({ ...row, id, selected_at: clock.now() })))
      .execute();
    for (const id of more) over.add(`session ${id}`);
    expect(await tenancy.purge()).toMatchObject({ selections: 1100 });
  });

  test('junk is no invitation', async ({ db }) => {
    const { tenancy } = openTenancy(db);
    const { userId, email } = somebody();
    for (const token of ['', 'x', uuidv7(), '\0'.repeat(43), 'a'.repeat(43)])
      expect(await codeOf(tenancy.invitations.accept({ token, userId, email }))).toBe(
        'tenancy.invalid_invitation',
      );
  });

  test('what is over is purged after a while, and what is not is kept', async ({ db }) => {
    const { tenancy, tenant, tokenOf, clock } = openTenancy(db);
    await clock.advance('400d');
    await tenancy.purge();
    const { id, owner } = await tenant();
    const by = { by: owner.userId };
    const guest = somebody();
    await tenancy.invitations.create(id, { email: guest.email, role: 'member' }, by);
    await tenancy.invitations.accept({ token: tokenOf(guest.email), ...guest });
    await tenancy.select({ kind: 'session', id: 'old' }, id, owner.userId);
    await tenancy.select({ kind: 'api_key', id: 'key' }, id, owner.userId);
    await clock.advance('29d');
    expect(await tenancy.purge()).toMatchObject({ selections: 0 });
    await clock.advance('62d');
    await tenancy.select({ kind: 'session', id: 'new' }, id, owner.userId);
    expect(await tenancy.purge()).toEqual({ selections: 1, invitations: 1 });
    expect(await tenancy.selectedBy({ kind: 'api_key', id: 'key' })).toBe(id);
    expect(await tenancy.selectedBy({ kind: 'session', id: 'new' })).toBe(id);
  });
});
