import { uuidv7 } from '@svc/core';
import { describeDatabases } from '@svc/db/testing';
import { expect } from 'vitest';
import { createAuthorization } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { openAuth } from './open-auth.ts';

const authorization = createAuthorization({
  permissions: ['project.read'],
  roles: { user: ['project.read'] },
});

describeDatabases('sessions and API keys that are over', [authMigrations], (test) => {
  test('are told from those that work, or may work again', async ({ db }) => {
    const { auth, session, clock } = openAuth(db, { authorization });
    const [ended, living] = [await session(), await session()];
    const { principal } = living;
    const made = async (expiresIn?: '1h') =>
      (await auth.apiKeys.create(principal, { name: 'x', scopes: ['project.read'], expiresIn }))
        .apiKey.id;
    const [revoked, expiring, good] = [await made(), await made('1h'), await made()];
    await auth.apiKeys.revoke(principal, revoked);
    await auth.logout({ token: ended.token });
    const idOf = ({ principal: { session: one } }: typeof living) => one?.id as string;
    const nobodys = [uuidv7(), 'no id'];
    const over = (kind: 'session' | 'api_key', ...ids: string[]) => auth.findOver(kind, ids);
    expect(await over('session', idOf(ended), idOf(living), ...nobodys)).toEqual([
      idOf(ended),
      ...nobodys,
    ]);
    expect(await over('api_key', revoked, expiring, good, ...nobodys)).toEqual([
      revoked,
      ...nobodys,
    ]);
    expect(await over('api_key', 'no id')).toEqual(['no id']);
    const staff = { type: 'system', id: null } as const;
    await auth.users.disable(principal.userId, staff);
    expect(await over('api_key', good)).toEqual([]);
    await clock.advance('15d');
    expect(await over('api_key', expiring, good)).toEqual([expiring]);
    expect(await over('session', idOf(living))).toEqual([idOf(living)]);
  });
});
