import { recordEvents } from '@svc/core/testing';
import { type Db, transact } from '@svc/db';
import { databaseTest, describeDatabases } from '@svc/db/testing';
import { type HttpEnv, stack } from '@svc/http/hono';
import { Hono } from 'hono';
import { expect } from 'vitest';
import { authRoutes } from '../src/hono.ts';
import {
  acted,
  type AuthOptions,
  createAuthorization,
  type Origin,
  type Principal,
} from '../src/index.ts';
import { forgetDevices } from '../src/lockout/devices.ts';
import { authMigrations } from '../src/migrations.ts';
import { completeSignIn } from '../src/sign-in.ts';
import { signedIn } from '../src/testing.ts';
import { codeOf, newPassword, openAuth, password, someone, tally } from './open-auth.ts';

const wrong = 'nine wrong walruses at noon';
const refused = 'auth.invalid_credentials';
/** A browser that has no cookie yet. */
const freshBrowser: Origin = { deviceToken: null, device: 'A browser' };
const onPostgres = databaseTest([authMigrations]);

function open(db: Db, options: Partial<AuthOptions> = {}) {
  const opened = openAuth(db, options);
  const { auth } = opened;
  const context = auth['~context'];
  const login = (email: string, origin: Origin, tried = password) =>
    auth.login({ email, password: tried }, { origin });
  return {
    ...opened,
    context,
    login,
    fail: async (email: string, times: number, origin: Origin = {}) => {
      for (let round = 0; round < times; round += 1)
        expect(await codeOf(login(email, origin, wrong))).toBe(refused);
    },
    knock: (email: string, origin: Origin = {}) => codeOf(login(email, origin)),
    /** A member and the browser in which they have signed in. */
    async owner() {
      const email = await opened.member();
      const { deviceToken, token, user } = signedIn(await login(email, freshBrowser));
      const principal = await auth.authenticate(token);
      if (deviceToken === null || principal === null) throw new Error('no device cookie');
      return { email, user, principal, browser: { ...freshBrowser, deviceToken } };
    },
    /** Gives a user a second factor. */
    addFactor: (userId: string) =>
      db
        .insertInto('svc_auth.totp_factors')
        .values({
          id: context.newId(),
          user_id: userId,
          secret_sealed: 'sealed',
          created_at: new Date(0),
          confirmed_at: new Date(0),
        })
        .execute(),
    /** Signs in with the second factor. */
    async complete(email: string, origin: Origin, trustDevice: boolean) {
      const half = await login(email, origin);
      if (half.status !== 'second_factor_required') throw new Error('no second factor asked for');
      return transact(db, async (trx) => {
        const wanted = { purpose: 'second_factor', token: half.challenge, tenantId: null } as const;
        const challenge = await context.challenges.consume(trx, wanted);
        if (challenge === null) throw new Error('no challenge');
        return completeSignIn(context, trx, { challenge, method: 'otp', trustDevice }, origin);
      });
    },
  };
}

describeDatabases('devices', [authMigrations], (test) => {
  test('a browser gets a cookie at its first sign-in and keeps it; other clients get none', async ({
    db,
  }) => {
    const { member, login, owner } = open(db);
    const { email, browser } = await owner();
    expect(signedIn(await login(email, browser)).deviceToken).toBeNull();
    expect(signedIn(await login(email, {})).deviceToken).toBeNull();
    const other = await member();
    expect(signedIn(await login(other, browser)).deviceToken).toMatch(/^[\w-]{43}$/);
    expect(signedIn(await login(email, { deviceToken: 'junk' })).deviceToken).toMatch(
      /^[\w-]{43}$/,
    );
  });

  test('a stranger cannot lock the owner out of a browser they are known in', async ({ db }) => {
    const { member, fail, knock, owner } = open(db, { lockout: { address: { free: 7 } } });
    const { email, browser } = await owner();
    const shared = { address: '198.51.100.1' };
    // The pair, then the account, then the address.
    await fail(email, 6, shared);
    await fail(email, 5);
    for (let round = 0; round < 2; round += 1) await fail(await member(), 1, shared);
    expect(await knock(await member(), shared)).toBe(refused);
    expect(await knock(email)).toBe(refused);
    expect(await knock(email, { ...browser, ...shared })).toBe('no failure');
    expect(await knock(email)).toBe(refused);
  });

  test('a known browser gets in when the account needs a reset', async ({ db }) => {
    const { clock, fail, knock, owner } = open(db, { lockout: { cap: 3 } });
    const { email, browser } = await owner();
    await fail(email, 3);
    await clock.advance('1d');
    expect(await knock(email)).toBe(refused);
    expect(await knock(email, browser)).toBe('no failure');
  });

  test('the device cookie of another user, or of none, helps nobody', async ({ db }) => {
    const { member, fail, knock, owner } = open(db);
    const stranger = await owner();
    const email = await member();
    await fail(email, 11, stranger.browser);
    expect(await knock(email, stranger.browser)).toBe(refused);
    expect(await knock(email, freshBrowser)).toBe(refused);
    expect(await knock(email, { deviceToken: 'A'.repeat(43) })).toBe(refused);
  });

  test('a stolen device cookie is worth a bounded number of guesses', async ({ db }) => {
    const { clock, context, login, fail, knock, owner } = open(db, {
      lockout: { cap: 12, account: { free: 1 } },
    });
    const { email, browser } = await owner();
    await fail(email, 11, browser);
    expect(await knock(email, browser)).toBe(refused);
    expect(await knock(email)).toBe('no failure');
    await clock.advance('30s');
    await fail(email, 1, browser);
    await clock.advance('1h');
    // Worthless from here on: these count of the account.
    expect(await context.devices.find(db, browser.deviceToken)).toBeNull();
    await fail(email, 2, browser);
    expect(await knock(email)).toBe(refused);
    await clock.advance('30s');
    expect(signedIn(await login(email, browser)).deviceToken).not.toBeNull();
  });

  test('a success in a known browser clears its own count and nobody else’s', async ({ db }) => {
    const { fail, knock, owner } = open(db);
    const { email, browser } = await owner();
    for (let round = 0; round < 3; round += 1) {
      await fail(email, 10, browser);
      expect(await knock(email, browser)).toBe('no failure');
    }
    await fail(email, 11);
    expect(await knock(email, browser)).toBe('no failure');
    expect(await knock(email)).toBe(refused);
  });

  test('a device is forgotten with a password reset, and after 400 days unused', async ({ db }) => {
    const { auth, outbox, clock, fail, login, knock, owner, context } = open(db);
    const { email, browser } = await owner();
    await auth.forgotPassword({ email });
    const token = await outbox.nextToken('reset_password', email);
    await auth.resetPassword({ token, password: newPassword });
    const { deviceToken } = signedIn(await login(email, browser, newPassword));
    expect(deviceToken).toMatch(/^[\w-]{43}$/);
    await clock.advance('399d');
    expect(await context.devices.find(db, deviceToken)).not.toBeNull();
    await clock.advance('2d');
    expect(await context.devices.find(db, deviceToken)).toBeNull();
    expect((await auth.purge()).devices).toBeGreaterThan(0);
    await fail(email, 11, { deviceToken });
    expect(await knock(email, { deviceToken })).toBe(refused);
  });

  test('people see and forget their own devices and nobody else’s', async ({ db }) => {
    const { auth, login, clock, owner, context } = open(db);
    const [ada, eve] = [await owner(), await owner()];
    await clock.advance('1m');
    const second = signedIn(await login(ada.email, { deviceToken: null, device: 'A phone' }));
    const names = async () => (await auth.devices.list(ada.principal)).map(({ name }) => name);
    expect(await names()).toEqual(['A phone', 'A browser']);
    const [phone] = await auth.devices.list(ada.principal);
    expect(phone).toEqual({
      id: expect.any(String),
      name: 'A phone',
      createdAt: clock.now(),
      lastSeenAt: clock.now(),
      trustedUntil: null,
    });
    using seen = recordEvents(acted);
    const forget = (principal: Principal, id = phone?.id as string) =>
      codeOf(auth.devices.forget(principal, id));
    expect(await forget(eve.principal)).toBe('auth.device_not_found');
    expect(await forget(ada.principal, 'no id')).toBe('auth.device_not_found');
    expect(await names()).toHaveLength(2);
    expect(await forget(ada.principal)).toBe('no failure');
    expect(await forget(ada.principal)).toBe('auth.device_not_found');
    expect(await names()).toEqual(['A browser']);
    expect(await context.devices.find(db, second.deviceToken)).toBeNull();
    expect(await auth.devices.forgetAll(ada.principal)).toBe(1);
    expect(await auth.devices.forgetAll(ada.principal)).toBe(0);
    expect(await auth.devices.list(eve.principal)).toHaveLength(1);
    expect(seen.events.map(({ payload }) => payload.type)).toEqual([
      'auth.device.forgotten',
      'auth.device.forgotten',
    ]);
    const key = { ...ada.principal, session: null };
    for (const act of [
      () => auth.devices.list(key),
      () => auth.devices.forget(key, context.newId()),
      () => auth.devices.forgetAll(key),
    ])
      expect(await codeOf(act())).toBe('auth.access_denied');
  });

  test('a trusted browser is asked for no second factor for 30 days, and its session has level 1', async ({
    db,
  }) => {
    const { auth, login, clock, owner, addFactor, complete } = open(db, {
      authorization: createAuthorization() as never,
      mfa: { requiredFor: ['admin'] },
    });
    const { email, user, principal, browser } = await owner();
    await addFactor(user.id);
    await db
      .updateTable('svc_auth.users')
      .set({ roles: ['admin'] })
      .where('id', '=', user.id)
      .execute();
    using seen = recordEvents(acted);
    expect((await complete(email, browser, true)).session.level).toBe(2);
    expect((await auth.devices.list(principal))[0]?.trustedUntil).toEqual(
      new Date(clock.now().getTime() + 30 * 24 * 60 * 60_000),
    );
    const spared = signedIn(await login(email, browser));
    expect(spared.session).toMatchObject({ level: 1, methods: ['pwd'], secondFactorAt: null });
    expect((await auth.authenticate(spared.token))?.withheldRoles).toEqual(['admin']);
    expect(seen.events.map(({ payload }) => [payload.type, payload.details])).toEqual([
      ['auth.login.challenged', { method: 'pwd' }],
      ['auth.device.trusted', {}],
      ['auth.login.succeeded', expect.objectContaining({ level: 2 })],
      ['auth.login.succeeded', expect.objectContaining({ level: 1, trustedDevice: true })],
    ]);
    expect((await login(email, freshBrowser)).status).toBe('second_factor_required');
    await clock.advance('30d');
    expect((await login(email, browser)).status).toBe('second_factor_required');
  });

  test('a browser that became known with the second factor can be trusted at once', async ({
    db,
  }) => {
    const { member, login, session, addFactor, complete } = open(db);
    const email = await member();
    await addFactor((await session(email)).user.id);
    const { deviceToken } = await complete(email, freshBrowser, true);
    expect((await login(email, { deviceToken })).status).toBe('signed_in');
  });

  test('trust is neither given unasked, nor where it is switched off, nor to another user', async ({
    db,
  }) => {
    for (const [trustDevice, mfa] of [
      [false, {}],
      [true, { trustDevices: false }],
      [true, { trustDevices: '0s' }],
    ] as const) {
      const { login, owner, addFactor, complete } = open(db, { mfa });
      const { email, user, browser } = await owner();
      await addFactor(user.id);
      await complete(email, browser, trustDevice);
      expect((await login(email, browser)).status).toBe('second_factor_required');
    }
    const { login, owner, addFactor, complete } = open(db);
    const [ada, eve] = [await owner(), await owner()];
    await addFactor(ada.user.id);
    await addFactor(eve.user.id);
    await complete(ada.email, ada.browser, true);
    expect((await login(eve.email, ada.browser)).status).toBe('second_factor_required');
  });

  test('trust dies when it is forgotten, and with a reset or a change of factors', async ({
    db,
  }) => {
    const { auth, login, outbox, owner, addFactor, complete } = open(db);
    const { email, user, principal, browser } = await owner();
    await addFactor(user.id);
    const trusted = async () => {
      const { deviceToken } = await complete(email, freshBrowser, true);
      expect((await login(email, { deviceToken })).status).toBe('signed_in');
      return { ...browser, deviceToken };
    };
    for (const end of [
      () => auth.devices.forgetAll(principal),
      () => transact(db, (trx) => forgetDevices(trx, user.id)),
      async () => {
        await auth.forgotPassword({ email });
        const token = await outbox.nextToken('reset_password', email);
        await auth.resetPassword({ token, password });
      },
    ]) {
      const origin = await trusted();
      await end();
      expect((await login(email, origin)).status).toBe('second_factor_required');
    }
  });
});

onPostgres(
  '50 sign-ins at once in one browser all succeed and leave one device',
  async ({ db }) => {
    const { auth, login, owner } = open(db);
    const { email, principal, browser } = await owner();
    const all = await Promise.all(Array.from({ length: 50 }, () => login(email, browser)));
    expect(new Set(all.map((each) => signedIn(each).deviceToken))).toEqual(new Set([null]));
    expect(await auth.devices.list(principal)).toHaveLength(1);
  },
);

onPostgres(
  'right and wrong passwords at once, in one browser and in none, end in no other failure',
  async ({ db }) => {
    const { login, owner } = open(db, {
      lockout: { account: { free: 100 }, pair: { free: 100 } },
    });
    const { email, browser } = await owner();
    const from = { address: '198.51.100.2' };
    const attempts = Array.from({ length: 50 }, (_, index) => {
      const origin = index % 4 < 2 ? { ...browser, ...from } : from;
      return login(email, origin, index % 2 === 0 ? password : wrong);
    });
    const { fulfilled, codes } = await tally(attempts);
    expect(codes).toEqual([refused]);
    expect(fulfilled).toBeGreaterThan(0);
  },
);

onPostgres(
  'over HTTP, the cookie is set at sign-in, set again, and stays after signing out',
  async ({ db }) => {
    const { auth, member, fail, clock } = open(db);
    const app = new Hono<HttpEnv>();
    stack(app, { typeBase: 'https://app.example.com/errors' });
    app.route('/auth', authRoutes(auth));
    const email = await member();
    const post = (path: string, body: object, cookie = '') =>
      app.request(path, {
        method: 'POST',
        body: JSON.stringify(body),
        headers: { 'content-type': 'application/json', 'sec-fetch-site': 'same-origin', cookie },
      });
    const first = await post('/auth/login', { email, password });
    const cookies = first.headers.getSetCookie().map((each) => each.split(';')[0] as string);
    const device = cookies[1] as string;
    expect(device).toMatch(/^__Host-device=[\w-]{43}$/);
    const out = await post('/auth/logout', {}, cookies.join('; '));
    expect(out.status).toBe(204);
    expect(out.headers.getSetCookie()).toEqual([expect.stringMatching(/^__Host-sid=;/)]);
    await fail(email, 11);
    expect((await post('/auth/login', { email, password })).status).toBe(401);
    const again = await post('/auth/login', { email, password }, device);
    expect([again.status, again.headers.getSetCookie()[1]?.split(';')[0]]).toEqual([200, device]);
    const session = again.headers.getSetCookie()[0]?.split(';')[0] as string;
    const ask = (method: string, path = '') =>
      app.request(`/auth/devices${path}`, {
        method,
        headers: { cookie: session, 'sec-fetch-site': 'same-origin' },
      });
    const { items } = (await (await ask('GET')).json()) as { items: { id: string }[] };
    expect(items).toEqual([
      expect.objectContaining({ id: expect.any(String), name: null, trustedUntil: null }),
    ]);
    expect((await ask('DELETE', '/no-id')).status).toBe(400);
    expect((await ask('DELETE', `/${items[0]?.id}`)).status).toBe(204);
    expect((await ask('DELETE', `/${items[0]?.id}`)).status).toBe(404);
    expect(await (await ask('DELETE')).json()).toEqual({ ended: items.length - 1 });
    expect(await (await ask('GET')).json()).toEqual({ items: [] });
    await clock.advance('1m');
    const bearer = await post('/auth/login', { email, password, transport: 'bearer' }, device);
    expect([bearer.status, bearer.headers.getSetCookie()]).toEqual([200, []]);
  },
);

onPostgres(
  'over HTTP, who is locked is told when to come back, where the app wants it told',
  async ({ db }) => {
    const { auth, member, fail } = open(db, {
      lockout: { answer: 'retry_after', account: { free: 1 } },
    });
    const app = new Hono<HttpEnv>();
    stack(app, { typeBase: 'https://app.example.com/errors' });
    app.route('/auth', authRoutes(auth));
    for (const email of [await member(), someone()]) {
      await fail(email, 2);
      const answer = await app.request('/auth/login', {
        method: 'POST',
        body: JSON.stringify({ email, password }),
        headers: { 'content-type': 'application/json' },
      });
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([429, '30']);
      expect(await answer.json()).toMatchObject({ code: 'auth.locked' });
    }
  },
);
