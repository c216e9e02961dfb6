import { isFailure } from '@svc/core';
import { transact } from '@svc/db';
import { databaseTest, describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import {
  createTenantLimits,
  QuotaExceeded,
  quotaExceeded,
  tenantScoped,
  withTenant,
} from '../src/index.ts';
import { tenancyMigrations } from '../src/migrations.ts';
import { tables, uuid } from './two-tables.ts';

let tenants = 0;
const someTenant = () => uuid(7000 + (tenants += 1));
const limitsOn = (db: Parameters<typeof tenantScoped>[0], projects = 3) =>
  createTenantLimits({ db, limitsOf: async () => ({ projects, seats: Infinity, none: 0 }) });

describeDatabases('limits of a tenant', [tenancyMigrations], (test) => {
  test('what is reserved counts, up to the limit of the plan and not beyond', async ({ db }) => {
    const [limits, tenantId] = [limitsOn(db), someTenant()];
    expect(await limits.get(tenantId, 'projects')).toEqual({ limit: 3, used: 0, remaining: 3 });
    await transact(db, (trx) => limits.reserve(trx, tenantId, 'projects', 2));
    expect(await limits.get(tenantId, 'projects')).toEqual({ limit: 3, used: 2, remaining: 1 });
    await expect(
      transact(db, (trx) => limits.reserve(trx, tenantId, 'projects', 2)),
    ).rejects.toMatchObject({
      code: 'tenancy.quota_exceeded',
      details: { quota: 'projects', limit: 3 },
    });
    await transact(db, (trx) => limits.reserve(trx, tenantId, 'projects'));
    expect(await limits.get(tenantId, 'projects')).toEqual({ limit: 3, used: 3, remaining: 0 });
  });

  test('the first of a quota is held to it as well, and a quota of none allows none', async ({
    db,
  }) => {
    const [limits, tenantId] = [limitsOn(db), someTenant()];
    for (const [quota, count] of [
      ['projects', 4],
      ['none', 1],
    ] as const)
      await expect(
        transact(db, (trx) => limits.reserve(trx, tenantId, quota, count)),
      ).rejects.toSatisfy((error) => isFailure(error, QuotaExceeded));
    await transact(db, (trx) => limits.reserve(trx, tenantId, 'seats', 1_000_000));
    expect(await limits.get(tenantId, 'seats')).toEqual({
      limit: Infinity,
      used: 1_000_000,
      remaining: Infinity,
    });
  });

  test('a rollback gives back what was reserved, and release what is no longer used', async ({
    db,
  }) => {
    const [limits, tenantId] = [limitsOn(db), someTenant()];
    await expect(
      transact(db, async (trx) => {
        await limits.reserve(trx, tenantId, 'projects', 3);
        throw new Error('no project');
      }),
    ).rejects.toThrow('no project');
    await transact(db, (trx) => limits.reserve(trx, tenantId, 'projects', 3));
    await transact(db, (trx) => limits.release(trx, tenantId, 'projects', 2));
    expect((await limits.get(tenantId, 'projects')).used).toBe(1);
    await transact(db, (trx) => limits.release(trx, tenantId, 'projects', 9));
    expect((await limits.get(tenantId, 'projects')).used).toBe(0);
  });

  test('a smaller plan allows no more, and takes nothing away', async ({ db }) => {
    const tenantId = someTenant();
    await transact(db, (trx) => limitsOn(db).set(trx, tenantId, 'projects', 3));
    const smaller = limitsOn(db, 1);
    expect(await smaller.get(tenantId, 'projects')).toEqual({ limit: 1, used: 3, remaining: 0 });
    await expect(
      transact(db, (trx) => smaller.reserve(trx, tenantId, 'projects')),
    ).rejects.toMatchObject({ code: 'tenancy.quota_exceeded' });
  });

  test('the limits of one tenant are not those of another', async ({ db }) => {
    const [limits, one, other] = [limitsOn(db), someTenant(), someTenant()];
    await transact(db, (trx) => limits.reserve(trx, one, 'projects', 3));
    await transact(db, (trx) => limits.reserve(trx, other, 'projects', 3));
    const scoped = tenantScoped(db, tables);
    await withTenant(scoped, one, (trx) => limits.release(trx, one, 'projects', 1));
    await expect(
      withTenant(scoped, one, (trx) => limits.reserve(trx, other, 'projects', 1)),
    ).rejects.toThrow(TypeError);
    expect((await limits.get(other, 'projects')).used).toBe(3);
  });

  test('a refusal is told to subscribers', async ({ db }) => {
    const tenantId = someTenant();
    const heard: unknown[] = [];
    const stop = quotaExceeded.subscribe(({ payload }) => heard.push(payload));
    await transact(db, (trx) => limitsOn(db).reserve(trx, tenantId, 'projects', 4)).catch(() => {});
    stop();
    expect(heard).toEqual([{ tenantId, quota: 'projects' }]);
  });

  test('a quota that the plan does not name, or half a project, is a mistake', async ({ db }) => {
    const [limits, tenantId] = [limitsOn(db), someTenant()];
    await expect(limits.get(tenantId, 'project')).rejects.toThrow('there is no quota project');
    await expect(limits.get(tenantId, 'toString')).rejects.toThrow(TypeError);
    await expect(
      transact(db, (trx) => limits.reserve(trx, tenantId, 'projects', 0.5)),
    ).rejects.toThrow(TypeError);
    await expect(
      transact(db, (trx) => limits.reserve(trx, tenantId, 'projects', -1)),
    ).rejects.toThrow(TypeError);
  });
});

const test = databaseTest([tenancyMigrations]);

test('of sixty-four who want the last one at once, one gets it', async ({ db }) => {
  for (const alreadyUsed of [0, 9]) {
    const [limits, tenantId] = [limitsOn(db, alreadyUsed + 1), someTenant()];
    await transact(db, (trx) => limits.set(trx, tenantId, 'projects', alreadyUsed));
    const all = await Promise.allSettled(
      Array.from({ length: 64 }, () =>
        transact(db, (trx) => limits.reserve(trx, tenantId, 'projects')),
      ),
    );
    expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const result of all)
      if (result.status === 'rejected')
        expect(result.reason).toMatchObject({ code: 'tenancy.quota_exceeded' });
    expect(await limits.get(tenantId, 'projects')).toMatchObject({
      used: alreadyUsed + 1,
      remaining: 0,
    });
  }
});

test('nor more than one where there is no row yet', async ({ db }) => {
  const [limits, tenantId] = [limitsOn(db, 1), someTenant()];
  const all = await Promise.allSettled(
    Array.from({ length: 64 }, () =>
      transact(db, (trx) => limits.reserve(trx, tenantId, 'projects')),
    ),
  );
  expect(all.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
});
