import { recordEvents } from '@svc/core/testing';
import { databaseTest } from '@svc/db/testing';
import { expect } from 'vitest';
import { acted } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { tally } from './open-auth.ts';
import { type Kept, kept, openRefresh } from './open-refresh.ts';

// On a real PostgreSQL only: PGlite has one connection and cannot show a race.
const test = databaseTest([authMigrations]);
const many = <Result>(count: number, act: (index: number) => Promise<Result>) =>
  Promise.all(Array.from({ length: count }, (_, index) => act(index)));

test('32 refreshes at once, on two processes, all get the same working pair, and nobody is logged out', async ({
  db,
}) => {
  const { auth, elsewhere, client, refresh, isAlive } = openRefresh(db);
  const before = await client();
  using seen = recordEvents(acted);
  const used = async (index: number) => {
    const pair = await refresh(before, index % 2 === 0 ? auth : elsewhere);
    // At once, while others are still on their way.
    return { pair, works: await isAlive(pair) };
  };
  const answers = await many(32, used);
  expect(answers.map(({ works }) => works)).toEqual(answers.map(() => true));
  expect(new Set(answers.map(({ pair }) => JSON.stringify(pair)))).toHaveLength(1);
  expect(seen.events.map(({ payload }) => payload.type)).toEqual(['auth.session.refreshed']);
  const families = await db
    .selectFrom('svc_auth.refresh_families')
    .select('generation')
    .where('session_id', '=', before.signIn.session.id)
    .execute();
  expect(families).toEqual([{ generation: 2 }]);
  expect(await isAlive(await refresh(answers[0]?.pair as Kept))).toBe(true);
});

test('round after round of refreshes at once goes on with one session', async ({ db }) => {
  const { client, refresh, isAlive } = openRefresh(db);
  let pair: Kept = await client();
  for (let round = 0; round < 10; round += 1) {
    const before = pair;
    const answers = await many(8, () => refresh(before));
    expect(new Set(answers.map(({ token }) => token))).toHaveLength(1);
    pair = answers[0] as Kept;
  }
  expect(await isAlive(pair)).toBe(true);
});

test('of 50 uses of a token that was used before, one ends the session and tells its owner', async ({
  db,
}) => {
  const { auth, client, refresh, outbox } = openRefresh(db);
  const first = await client();
  await refresh(await refresh(first));
  using seen = recordEvents(acted);
  const attempts = Array.from({ length: 50 }, () => refresh(first));
  expect(await tally(attempts)).toEqual({ fulfilled: 0, codes: ['auth.invalid_refresh_token'] });
  expect(seen.events.map(({ payload }) => payload.type)).toEqual(['auth.session.refresh_reused']);
  await auth.stop();
  const notices = outbox.mails.filter(
    ({ template, to }) => template === 'security_notice' && to === first.email,
  );
  expect(notices).toHaveLength(1);
});

test('a refresh that meets the end of its session leaves nothing alive, in whichever order', async ({
  db,
}) => {
  const { auth, client, refresh, isAlive } = openRefresh(db);
  for (let round = 0; round < 10; round += 1) {
    const { signIn, ...before } = await client();
    const actor = { type: 'system', id: null } as const;
    const [refreshed] = await Promise.allSettled([
      refresh(before),
      auth.users.disable(signIn.user.id, actor),
    ]);
    if (refreshed.status === 'fulfilled') expect(await isAlive(refreshed.value)).toBe(false);
    else expect(refreshed.reason).toMatchObject({ code: 'auth.invalid_refresh_token' });
    expect(await isAlive(kept(signIn))).toBe(false);
  }
});
