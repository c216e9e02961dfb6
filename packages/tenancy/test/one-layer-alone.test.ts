import { describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { clashes, without } from './foreign-statements.ts';
import { escapes, refused } from './refused-statements.ts';
import {
  ann,
  appMigrations,
  bob,
  cem,
  type OneLayer,
  type Outcome,
  scopeAlone,
  type Run,
  securityAlone,
} from './two-tables.ts';
import { understood } from './understood-statements.ts';

/** Runs a statement of Ann's, and proves that Bob and Cem have lost nothing and shown nothing. */
async function leaksNothing({ attempt, rowsOf }: OneLayer, run: Run): Promise<Outcome> {
  const before = [await rowsOf(bob), await rowsOf(cem)];
  expect(before.map((rows) => rows.length)).toEqual([9, 9]);
  const outcome = await attempt(run);
  expect([await rowsOf(bob), await rowsOf(cem)]).toEqual(before);
  const shown = JSON.stringify(outcome.rows ?? []);
  expect(shown).not.toContain(bob);
  expect(shown).not.toContain(cem);
  return outcome;
}

const hasOwnRows = ({ rows, error }: Outcome) => {
  expect(error).toBeUndefined();
  expect(JSON.stringify(rows)).toContain(ann);
};
const refusedByScope = expect.objectContaining({
  name: 'TypeError',
  message: expect.stringContaining('the tenant scope refuses this statement'),
});

describeDatabases('the scope alone leaks nothing', [appMigrations], (test) => {
  test.for(understood)('%s', async ([, run], { database }) =>
    scopeAlone(database, ann, async (layer) => hasOwnRows(await leaksNothing(layer, run))),
  );
  test.for([...without, ...clashes])('%s', async ([, run], { database }) =>
    scopeAlone(database, ann, async (layer) => {
      expect(await leaksNothing(layer, run)).toEqual({ rows: [] });
    }),
  );
  test.for([...refused, ...escapes])('%s is refused', async ([, run], { database }) =>
    scopeAlone(database, ann, async (layer) => {
      expect(await leaksNothing(layer, run)).toEqual({ error: refusedByScope });
    }),
  );
  test.for([...understood, ...clashes])(
    'without a tenant it refuses: %s',
    async ([, run], { database }) =>
      scopeAlone(database, null, async ({ attempt }) => {
        expect((await attempt(run)).error).toMatchObject({
          name: 'TypeError',
          message: expect.stringMatching(/needs a tenant: use withTenant/),
        });
      }),
  );
});

describeDatabases('row-level security alone leaks nothing', [appMigrations], (test) => {
  test.for(understood.filter(([name]) => name !== 'insert without the tenant'))(
    '%s',
    async ([, run], { database }) =>
      securityAlone(database, ann, async (layer) => hasOwnRows(await leaksNothing(layer, run))),
  );
  test.for([...without, ...clashes, ...refused])('%s', async ([, run], { database }) =>
    securityAlone(database, ann, async (layer) => void (await leaksNothing(layer, run))),
  );
  test.for(understood)('without a tenant it has no rows: %s', async ([, run], { database }) =>
    securityAlone(database, null, async (layer) => {
      await leaksNothing(layer, run);
      const { rows = [] } = await layer.attempt(run);
      for (const id of [ann, bob, cem]) expect(JSON.stringify(rows)).not.toContain(id);
    }),
  );
  test('a row cannot be moved to another tenant, nor made for one', async ({ database }) =>
    securityAlone(database, ann, async ({ attempt }) => {
      for (const name of ['moving a row', 'insert for another tenant']) {
        const [, run] = refused.find(
          ([candidate]) => candidate === name,
        ) as (typeof refused)[number];
        expect((await attempt(run)).error).toMatchObject({ code: '42501' });
      }
    }));
});
