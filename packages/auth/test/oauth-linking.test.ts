import { uuidv7 } from '@svc/core';
import { recordEvents } from '@svc/core/testing';
import { databaseTest } from '@svc/db/testing';
import type { Db } from '@svc/db';
import { afterAll, beforeAll, expect } from 'vitest';
import { acted, type AuthAuditEvent } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { createOAuth, type Grant } from '../src/oauth.ts';
import { codeOf, newPassword, openAuth, password, someone, tally } from './open-auth.ts';
import { type Issuer, publicUrl, startIssuer } from './oauth-servers.ts';
import { corp, openOAuth } from './open-oauth.ts';

const test = databaseTest([authMigrations]);
let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer[Symbol.asyncDispose]());

let subjects = 0;
/** Somebody new sits before the browser. */
const sits = (email: string, isVerified = true) => {
  subjects += 1;
  issuer.person = { sub: `subject-${subjects}`, email, email_verified: isVerified };
};
const trusting = { trustedDomains: ['example.com'] };
const disable = (db: Db, email: string) =>
  db
    .updateTable('svc_auth.users')
    .set({ disabled_at: new Date(0) })
    .where('email', '=', email)
    .execute();

test('a trusted issuer that has verified the address signs its owner in, and tells them', async ({
  db,
}) => {
  const { member, auth, signIn, outbox } = openOAuth(db, [corp(issuer, trusting)]);
  const email = await member();
  using seen = recordEvents(acted);
  sits(email.toUpperCase());
  const done = await signIn();
  expect(done).toMatchObject({ status: 'signed_in', user: { email, name: 'Ada' } });
  await outbox.next('security_notice', email);
  await auth.login({ email, password });
  expect(seen.events.map(({ payload }) => [payload.type, payload.details])).toContainEqual([
    'auth.identity.linked',
    { provider: 'corp', by: 'trusted_email' },
  ]);
});

test('an address that the issuer has not verified links nothing and opens nothing, and the answer does not tell whether it is known', async ({
  db,
}) => {
  const { member, signIn } = openOAuth(db, [
    corp(issuer, { trustedDomains: '*', newAccounts: 'verified' }),
  ]);
  const [known, unknown] = [await member(), someone()];
  for (const email of [known, unknown]) {
    sits(email, false);
    expect(await codeOf(signIn())).toBe('auth.identity_not_linked');
  }
  issuer.person = { sub: 'no claim', email: known };
  expect(await codeOf(signIn())).toBe('auth.identity_not_linked');
});

test('an issuer that is not trusted for the domain links nothing', async ({ db }) => {
  for (const trustedDomains of [[], ['example.org', 'com', 'notexample.com']]) {
    const { member, signIn } = openOAuth(db, [
      corp(issuer, { trustedDomains, newAccounts: 'verified' }),
    ]);
    sits(await member());
    expect(await codeOf(signIn())).toBe('auth.identity_not_linked');
  }
});

test('an issuer opens accounts only for addresses that it may', async ({ db }) => {
  const opens = async (options: Parameters<typeof corp>[1]) => {
    sits(someone());
    return codeOf(openOAuth(db, [corp(issuer, options)]).signIn());
  };
  const refused = 'auth.identity_not_linked';
  expect(await opens({})).toBe(refused);
  expect(await opens({ trustedDomains: ['example.org'] })).toBe(refused);
  expect(await opens({ ...trusting, newAccounts: 'never' })).toBe(refused);
  expect(await opens(trusting)).toBe('no failure');
  expect(await opens({ newAccounts: 'verified' })).toBe('no failure');
});

test('without an address that mail can go to there is no account', async ({ db }) => {
  const { signIn } = openOAuth(db, [corp(issuer, { trustedDomains: '*' })]);
  for (const email of [
    undefined,
    '',
    'nobody',
    'a@b\r\n.example',
    `${'x'.repeat(300)}@a.example`,
  ]) {
    subjects += 1;
    const sub = `subject-${subjects}`;
    issuer.person = { sub, email_verified: true, ...(email !== undefined && { email }) };
    expect(await codeOf(signIn())).toBe('auth.oauth_email_missing');
  }
});

test('a subject that no account could be found by again is refused', async ({ db }) => {
  const provider = corp(issuer, trusting);
  for (const subject of ['', 'x'.repeat(256), 'a\0b', 'é']) {
    const profile = async (grant: Grant) => ({ ...(await provider.profile(grant)), subject });
    sits(someone());
    expect(await codeOf(openOAuth(db, [{ ...provider, profile }]).signIn())).toBe(
      'auth.oauth_failed',
    );
  }
});

test.for([
  ['trusted', trusting],
  ['verified', { newAccounts: 'verified' as const }],
] as const)(
  'a registration that waits is handed over without its password (pre-hijacking, %s)',
  async ([, options], { db }) => {
    const { auth, signIn, outbox } = openOAuth(db, [corp(issuer, options)]);
    const email = someone();
    await auth.register({ email, password, name: 'Mallory' });
    const link = await outbox.nextToken('verify', email);
    sits(email);
    const done = await signIn();
    expect(done).toMatchObject({ status: 'signed_in', user: { email, name: null } });
    expect(await codeOf(auth.login({ email, password }))).toBe('auth.invalid_credentials');
    expect(await codeOf(auth.verify({ token: link }))).toBe('auth.invalid_token');
    expect(await codeOf(auth.login({ email, password }))).toBe('auth.invalid_credentials');
    await auth.forgotPassword({ email });
    const token = await outbox.nextToken('reset_password', email);
    await auth.resetPassword({ token, password: newPassword });
    await auth.login({ email, password: newPassword });
  },
);

test('a disabled user is refused, linked or not, with a second factor or without', async ({
  db,
}) => {
  const { signIn, member } = openOAuth(db, [corp(issuer, trusting)]);
  const linked = someone();
  sits(linked);
  await signIn();
  await disable(db, linked);
  expect(await codeOf(signIn())).toBe('auth.invalid_credentials');
  await addTotp(db, linked);
  expect(await codeOf(signIn())).toBe('auth.invalid_credentials');
  const unlinked = await member();
  await disable(db, unlinked);
  sits(unlinked);
  expect(await codeOf(signIn())).toBe('auth.invalid_credentials');
});

test('who has a second factor is asked for it', async ({ db }) => {
  const { signIn, member } = openOAuth(db, [corp(issuer, trusting)]);
  const email = await member();
  await addTotp(db, email);
  sits(email);
  expect(await signIn()).toMatchObject({
    status: 'second_factor_required',
    methods: ['totp'],
    returnTo: '/',
  });
});

test('who is signed in links a provider, whatever address it tells', async ({ db }) => {
  const { session, link, oauth, signIn, outbox } = openOAuth(db, [corp(issuer)]);
  const { principal, token, email } = await session();
  sits(someone(), false);
  expect(await link(principal, token)).toMatchObject({ status: 'linked', returnTo: '/' });
  expect(await link(principal, token)).toMatchObject({ status: 'linked' });
  expect(await oauth.identities(principal)).toHaveLength(1);
  await outbox.next('security_notice', email);
  expect(await signIn()).toMatchObject({ status: 'signed_in', user: { id: principal.userId } });
});

test('a link is completed only in the session that began it', async ({ db }) => {
  const { session, goThere, oauth, auth } = openOAuth(db, [corp(issuer)]);
  const [own, other] = [await session(), await session()];
  const second = await session(own.email);
  sits(someone());
  for (const sessionToken of [undefined, other.token, second.token]) {
    const returned = await goThere(own.principal);
    expect(await codeOf(oauth.complete({ ...returned, sessionToken }))).toBe('auth.oauth_failed');
  }
  const returned = await goThere(own.principal);
  await auth.logout({ token: own.token });
  expect(await codeOf(oauth.complete({ ...returned, sessionToken: own.token }))).toBe(
    'auth.oauth_failed',
  );
  expect(await oauth.identities(own.principal)).toEqual([]);
  expect(await oauth.identities(other.principal)).toEqual([]);
});

test('what is linked to one account is not linked to another, nor taken from it', async ({
  db,
}) => {
  const { session, link, oauth } = openOAuth(db, [corp(issuer)]);
  const [first, second] = [await session(), await session()];
  sits(someone());
  await link(first.principal, first.token);
  expect(await codeOf(link(second.principal, second.token))).toBe('auth.identity_taken');
  const [identity] = await oauth.identities(first.principal);
  const id = identity?.id as string;
  for (const wrong of [id, first.principal.userId, 'x'])
    expect(await codeOf(oauth.unlink(second.principal, wrong))).toBe('auth.identity_not_found');
  expect(await codeOf(oauth.tokens(second.principal, id))).toBe('auth.identity_not_found');
  await oauth.unlink(first.principal, id);
  expect(await oauth.identities(first.principal)).toEqual([]);
});

test('the last way in stays; a password, a passkey or another provider is one', async ({ db }) => {
  const { signIn, oauth, auth, outbox, link } = openOAuth(db, [corp(issuer, trusting)]);
  const email = someone();
  sits(email);
  const done = await signIn();
  if (done.status !== 'signed_in') throw new Error('half');
  const principal = await auth.authenticate(done.token);
  if (principal === null) throw new Error('not signed in');
  const ids = async () => (await oauth.identities(principal)).map(({ id }) => id);
  const [first] = await ids();
  expect(await codeOf(oauth.unlink(principal, first as string))).toBe('auth.last_way_in');
  sits(someone());
  await link(principal, done.token);
  const both = await ids();
  expect(await tally(both.map((id) => oauth.unlink(principal, id)))).toEqual({
    fulfilled: 1,
    codes: ['auth.last_way_in'],
  });
  // A provider that is not configured any more lets nobody in.
  await db
    .insertInto('svc_auth.identities')
    .values({
      id: principal.userId,
      user_id: principal.userId,
      issuer: 'https://gone.example',
      subject: '1',
      created_at: new Date(0),
      provider: 'gone',
    })
    .execute();
  const [last] = (await ids()).filter((id) => id !== principal.userId);
  expect(await codeOf(oauth.unlink(principal, last as string))).toBe('auth.last_way_in');
  await auth.forgotPassword({ email });
  const token = await outbox.nextToken('reset_password', email);
  await auth.resetPassword({ token, password });
  await oauth.unlink(principal, last as string);
  await outbox.next('security_notice', email);
});

test('of 50 ways in that are taken away at once, one stays', async ({ db }) => {
  const { signIn, oauth, auth } = openOAuth(db, [corp(issuer, trusting)]);
  sits(someone());
  const done = await signIn();
  if (done.status !== 'signed_in') throw new Error('half');
  const principal = await auth.authenticate(done.token);
  if (principal === null) throw new Error('not signed in');
  const others = Array.from({ length: 49 }, (_, index) => ({
    id: uuidv7(),
    user_id: principal.userId,
    issuer: issuer.issuer,
    subject: `another ${index}`,
    created_at: new Date(0),
    provider: 'corp',
  }));
  await db.insertInto('svc_auth.identities').values(others).execute();
  const ids = (await oauth.identities(principal)).map(({ id }) => id);
  expect(await tally(ids.map((id) => oauth.unlink(principal, id)))).toEqual({
    fulfilled: 49,
    codes: ['auth.last_way_in'],
  });
});

test('every sign-in, refusal and link is audited, without secrets and addresses', async ({
  db,
}) => {
  const entries: AuthAuditEvent[] = [];
  const { auth, member } = openAuth(db, {
    publicUrl,
    audit: async (event) => void entries.push(event),
  });
  const providers = [corp(issuer, trusting)];
  const { goThere } = openOAuth(db, providers);
  const oauth = createOAuth({ auth, providers });
  const origin = { address: '192.0.2.1', requestId: 'r1' };
  const email = await member();
  entries.length = 0;
  sits(email);
  const returned = await goThere();
  await oauth.complete(returned, { origin });
  const refused = { ...(await goThere()), browserToken: 'x' };
  await codeOf(oauth.complete(refused, { origin }));
  sits(await member(), false);
  await codeOf(oauth.complete(await goThere(), { origin }));
  const own = entries.filter(
    ({ type }) => type !== 'auth.user.verified' && type !== 'auth.user.registered',
  );
  expect(own.map(({ type, outcome, details }) => [type, outcome, details])).toEqual([
    ['auth.identity.linked', undefined, { provider: 'corp', by: 'trusted_email' }],
    ['auth.login.succeeded', undefined, expect.objectContaining({ method: 'federated' })],
    [
      'auth.login.failed',
      'failure',
      { method: 'federated', provider: 'corp', reason: 'auth.identity_not_linked', link: false },
    ],
  ]);
  expect(own.map(({ personal }) => personal['address'])).toEqual(Array(3).fill('192.0.2.1'));
  expect(JSON.stringify(own)).not.toContain(email);
});

async function addTotp(db: Db, email: string): Promise<void> {
  const { id } = await db
    .selectFrom('svc_auth.users')
    .select('id')
    .where('email', '=', email)
    .executeTakeFirstOrThrow();
  const at = new Date(0);
  await db
    .insertInto('svc_auth.totp_factors')
    .values({ id, user_id: id, secret_sealed: 'sealed', created_at: at, confirmed_at: at })
    .execute();
}
