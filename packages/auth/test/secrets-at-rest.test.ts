import { randomBytes } from '@svc/core';
import { recordEvents } from '@svc/core/testing';
import type { Db } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import { sql } from 'kysely';
import { afterAll, beforeAll, expect } from 'vitest';
import {
  acted,
  type AuthAuditEvent,
  betterAuthScrypt,
  createAuthorization,
  type Principal,
  type RefreshGrant,
  type SignIn,
} from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { createOAuth } from '../src/oauth.ts';
import { createPasskeys } from '../src/passkeys.ts';
import { signedIn, softwareAuthenticator, tokenIn, totpCode } from '../src/testing.ts';
import { signingKeyPublished } from '../src/tokens.ts';
import { codeOf, openAuth, password, someone } from './open-auth.ts';
import { type Issuer, publicUrl, startIssuer, visit } from './oauth-servers.ts';
import { corp } from './open-oauth.ts';
import { openTokens } from './open-tokens.ts';
import { queueFor, queueMigrations } from './mail-queue.ts';
import { formsOf, openVault, type Vault } from './secret-vault.ts';

const test = databaseTest([authMigrations, queueMigrations]);
let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer[Symbol.asyncDispose]());

// Of `short one`, by @better-auth/utils.
const imported =
  '505877d27a2fd67b94a2e791b5d40f27:762b475d851e73f8040be8f2d062eb78ddb0cd491e7aecb6606432a678736e29e945ccd05e3b74c52120b4fea9d7eb186b247cb050034aa3859c542b6a050912';

const authorization = createAuthorization({
  permissions: ['project.list'],
  roles: { user: ['project.list'] },
});

/** All of the package on one database, and all that it says. */
function openEverything(db: Db, vault: Vault) {
  const audited: AuthAuditEvent[] = [];
  const opened: ReturnType<typeof openAuth> = openAuth(db, {
    publicUrl,
    authorization,
    queueMail: queueFor(() => opened.auth),
    refresh: {},
    audit: async (event) => void audited.push(event),
    passwords: { foreign: [betterAuthScrypt] },
    // Also what a flow draws that nobody here thinks of: 256 bits are a secret or the nonce of one.
    random(size) {
      const bytes = randomBytes(size);
      if (size === 32) vault.keep('drawn', Buffer.from(bytes).toString('base64url'));
      return bytes;
    },
  });
  const { auth } = opened;
  const trusting = { trustedDomains: ['example.com'], storeTokens: true };
  const oauth = createOAuth({ auth, providers: [corp(issuer, trusting)] });
  const passkeys = createPasskeys({ auth });
  const service = openTokens(db);
  const session = async (token: string) => {
    const principal = await auth.authenticate(vault.keep('session', token));
    if (principal === null) throw new Error('nobody is signed in by this token');
    return principal;
  };
  /** The session of a sign-in, and who has it. */
  const enter = (signIn: SignIn) => {
    const { token, deviceToken } = signedIn(signIn);
    if (deviceToken !== null) vault.keep('device', deviceToken);
    return session(token);
  };
  const challengeOf = (signIn: SignIn) => {
    if (signIn.status !== 'second_factor_required')
      throw new Error('no second factor is asked for');
    return vault.keep('challenge', signIn.challenge);
  };
  const said = () => JSON.stringify([opened.logger.lines, service.logger.lines, audited]);
  return { ...opened, audited, oauth, passkeys, service, session, enter, challengeOf, said };
}

type Everything = ReturnType<typeof openEverything>;

async function register({ auth, outbox, enter }: Everything, vault: Vault) {
  const [email, waiting] = [someone(), someone()];
  await auth.register({ email, password: vault.keep('password', password) });
  await outbox.next('verify', email);
  await auth.resendVerification({ email });
  await auth.verify({ token: await outbox.nextToken('verify', email) });
  const others = ['a password that waits for ever', 'a password of some stranger'];
  await auth.register({ email: waiting, password: vault.keep('password', others[0] as string) });
  await auth.register({ email, password: vault.keep('password', others[1] as string) });
  const { token } = signedIn(await auth.login({ email, password }));
  await auth.logout({ token: vault.keep('session', token) });
  const guess = vault.keep('password', 'a guess of some stranger');
  await codeOf(auth.login({ email, password: guess }));
  await codeOf(auth.login({ email: someone(), password: guess }));
  await codeOf(auth.verify({ token: vault.keep('guessed token', 'x'.repeat(43)) }));
  return { email, principal: await enter(await auth.login({ email, password })) };
}

async function changeAccount({ auth, outbox, session, enter }: Everything, vault: Vault) {
  const email = someone();
  await auth.register({ email, password });
  await auth.verify({ token: await outbox.nextToken('verify', email) });
  await auth.forgotPassword({ email });
  const token = await outbox.nextToken('reset_password', email);
  await codeOf(auth.resetPassword({ token, password: vault.keep('password', 'too short') }));
  const second = vault.keep('password', 'eight loud badgers at dusk');
  await auth.resetPassword({ token, password: second });
  const before = await enter(
    await auth.login({ email, password: second }, { origin: { deviceToken: null } }),
  );
  const third = vault.keep('password', 'nine calm herons at noon');
  const change = { currentPassword: second, password: third };
  const changed = await session((await auth.account.changePassword(before, change)).token);
  await auth.account.rename(changed, { name: 'Grace' });
  const shown = { method: 'password', password: third } as const;
  const stepped = await session((await auth.mfa.stepUp(changed, shown)).token);
  const next = someone();
  await auth.account.requestEmailChange(stepped, { email: next });
  await auth.account.confirmEmailChange({ token: await outbox.nextToken('confirm_email', next) });
  const again = await enter(await auth.login({ email: next, password: third }));
  // Links that nobody follows.
  await auth.account.requestEmailChange(again, { email: someone() });
  await auth.forgotPassword({ email: next });
}

async function addApp(everything: Everything, vault: Vault, email: string) {
  const { auth, clock, enter, session, challengeOf } = everything;
  const principal = await enter(await auth.login({ email, password }));
  const { secret } = await auth.mfa.enrolTotp(principal);
  vault.keep('totp secret', secret);
  const code = async () => {
    await clock.advance('30s');
    return vault.keep('totp code', totpCode(secret, clock.now()));
  };
  const confirmed = await auth.mfa.confirmTotp(principal, { code: await code() });
  const codes = confirmed.recoveryCodes ?? [];
  for (const each of codes) vault.keep('recovery code', each);
  const raised = await session(confirmed.token);
  const browser = { origin: { deviceToken: null } };
  const begin = async () => challengeOf(await auth.login({ email, password }, browser));
  await codeOf(
    auth.mfa.answerChallenge({
      challenge: await begin(),
      method: 'recovery_code',
      code: vault.keep('recovery code', 'AAAA-BBBB-CCCC-DDDD-EEEE-FFFF'),
    }),
  );
  const byRecovery = { method: 'recovery_code', code: codes[0] as string } as const;
  await enter(await auth.mfa.answerChallenge({ challenge: await begin(), ...byRecovery }));
  const byTotp = { method: 'totp', code: await code(), trustDevice: true } as const;
  await enter(await auth.mfa.answerChallenge({ challenge: await begin(), ...byTotp }, browser));
  await session((await auth.mfa.stepUp(raised, { method: 'totp', code: await code() })).token);
  const latest = await enter(
    await auth.mfa.answerChallenge({
      challenge: await begin(),
      method: 'totp',
      code: await code(),
    }),
  );
  for (const each of await auth.mfa.makeRecoveryCodes(latest)) vault.keep('recovery code', each);
}

async function addPasskey(everything: Everything, vault: Vault) {
  const { auth, outbox, passkeys, enter, session, challengeOf } = everything;
  const email = someone();
  await auth.register({ email, password });
  await auth.verify({ token: await outbox.nextToken('verify', email) });
  const principal = await enter(await auth.login({ email, password }));
  const device = softwareAuthenticator({ origin: publicUrl, rpId: 'localhost' });
  const kept = <Offer extends { options: { challenge: string } }>(offer: Offer) => {
    vault.keep('webauthn nonce', offer.options.challenge);
    return offer;
  };
  const keptBoth = <Offer extends { challenge: string; options: { challenge: string } }>(
    offer: Offer,
  ) => {
    vault.keep('challenge', offer.challenge);
    return kept(offer);
  };
  const creation = keptBoth(await passkeys.registrationOptions(principal));
  const added = await passkeys.register(principal, {
    challenge: creation.challenge,
    response: device.create(creation.options),
  });
  for (const each of added.recoveryCodes ?? []) vault.keep('recovery code', each);
  const raised = await session(added.token);
  const login = keptBoth(await passkeys.loginOptions());
  const { challenge } = login;
  await enter(await passkeys.login({ challenge, response: device.get(login.options) }));
  const half = challengeOf(await auth.login({ email, password }));
  const { options } = kept(await passkeys.secondFactorOptions({ challenge: half }));
  const response = device.get(options);
  await enter(await passkeys.answerChallenge({ challenge: half, response }));
  const stepUp = keptBoth(await passkeys.stepUpOptions(raised));
  const shown = { challenge: stepUp.challenge, response: device.get(stepUp.options) };
  await session((await passkeys.stepUp(raised, shown)).token);
  // One that nobody answers.
  keptBoth(await passkeys.loginOptions());
}

async function useProvider(everything: Everything, vault: Vault) {
  const { auth, outbox, oauth, enter, session } = everything;
  const travel = async (link?: Principal) => {
    const begun = await oauth.begin({ provider: 'corp', ...(link !== undefined && { link }) });
    const { searchParams } = new URL(begun.url);
    for (const name of ['state', 'nonce']) vault.keep('oauth', searchParams.get(name) as string);
    vault.keep('oauth', begun.browserToken);
    const currentUrl = await visit(begun.url);
    vault.keep('oauth', currentUrl.searchParams.get('code') as string);
    return { provider: 'corp', browserToken: begun.browserToken, currentUrl };
  };
  const keepTokens = async (principal: Principal) => {
    const [identity] = await oauth.identities(principal);
    const tokens = await oauth.tokens(principal, identity?.id as string);
    vault.keep('provider token', tokens?.accessToken as string);
    vault.keep('provider token', tokens?.refreshToken as string);
  };
  issuer.person = { sub: 'subject-1', email: someone(), email_verified: true };
  await keepTokens(await enter((await oauth.complete(await travel())) as SignIn));
  const email = someone();
  await auth.register({ email, password });
  await auth.verify({ token: await outbox.nextToken('verify', email) });
  const { token: sessionToken } = signedIn(await auth.login({ email, password }));
  const principal = await session(sessionToken);
  issuer.person = { sub: 'subject-2', email: someone(), email_verified: true };
  await oauth.complete({ ...(await travel(principal)), sessionToken });
  await keepTokens(principal);
  const own = await travel();
  await codeOf(oauth.complete({ ...own, browserToken: 'another browser' }));
  // One from which nobody comes back.
  await travel();
}

async function makeKeys({ auth, service }: Everything, vault: Vault, owner: Principal) {
  const keep = (key: string) => {
    vault.keep('api key', key);
    vault.keep('api key', key.split('_')[2]?.slice(0, 43) as string);
  };
  const { key, apiKey } = await auth.apiKeys.create(owner, {
    name: 'CI',
    scopes: ['project.list'],
  });
  keep(key);
  await auth.authenticate(key);
  keep((await auth.apiKeys.rotate(owner, apiKey.id)).key);
  const claims = { subject: 'reports', audience: 'billing' };
  const token = vault.keep('service token', await service.tokens.issue(claims));
  await service.tokens.verify(token, { audience: 'billing' });
  for (const sealed of service.cipher.sealed)
    vault.keep('signing key', (JSON.parse(sealed) as { d: string }).d);
}

async function refreshTokens({ auth, clock, session }: Everything, vault: Vault, email: string) {
  const take = async (held: { token: string; refresh: RefreshGrant | null }) => {
    await session(held.token);
    return vault.keep('refresh token', held.refresh?.refreshToken as string);
  };
  const first = await take(signedIn(await auth.login({ email, password, refresh: true })));
  vault.keep('refresh secret', first.split('_')[3]?.slice(0, 43) as string);
  const second = await take(await auth.refresh({ refreshToken: first }));
  await take(await auth.refresh({ refreshToken: second }));
  await clock.advance('1m');
  await codeOf(auth.refresh({ refreshToken: first }));
}

async function importUsers({ auth, enter }: Everything, vault: Vault) {
  const [met, unmet] = [someone(), someone()];
  const staff = { type: 'system', id: null, reason: 'migration' } as const;
  for (const email of [met, unmet])
    await auth.users.import({ email, verified: true, passwordHash: imported }, staff);
  const secret = vault.keep('password', 'short one');
  await enter(await auth.login({ email: met, password: secret }));
}

/** Mails that do not arrive are logged. */
async function loseMails(db: Db, vault: Vault, { email }: { email: string }) {
  const { auth, logger } = openAuth(db, {
    publicUrl,
    async sendMail({ data }) {
      if (data.link.includes('token=')) vault.keep('lost token', tokenIn(data.link));
      throw new Error('the mail server is away');
    },
  });
  await auth.register({ email: someone(), password });
  await auth.forgotPassword({ email });
  await auth.stop();
  return JSON.stringify(logger.lines);
}

/** Runs every flow; answers what they left in the tables, and what they said elsewhere. */
async function runEverything(db: Db, vault: Vault) {
  const everything = openEverything(db, vault);
  using acts = recordEvents(acted);
  using keys = recordEvents(signingKeyPublished);
  const { email, principal } = await register(everything, vault);
  await makeKeys(everything, vault, principal);
  await refreshTokens(everything, vault, email);
  await changeAccount(everything, vault);
  await addApp(everything, vault, email);
  await addPasskey(everything, vault);
  await useProvider(everything, vault);
  await importUsers(everything, vault);
  await everything.auth.stop();
  for (const { data } of everything.outbox.mails)
    if (data.link.includes('token=')) vault.keep('mailed token', tokenIn(data.link));
  const lost = await loseMails(db, vault, { email });
  const said = `${everything.said()}${lost}${JSON.stringify([acts.events, keys.events])}`;
  return { said, email, userId: principal.userId };
}

/** Every table of the package and the queue of mails, with its rows as text. */
async function dumpOf(db: Db): Promise<Map<string, string>> {
  const tables = await sql<{ name: string }>`select table_schema || '.' || table_name as name
    from information_schema.tables
    where table_schema = 'svc_auth' or table_schema = 'mail_queue' and table_name = 'jobs'`.execute(
    db,
  );
  const dump = new Map<string, string>();
  for (const { name } of tables.rows) {
    const { rows } = await sql<{
      line: string;
    }>`select t::text as line from ${sql.table(name)} t`.execute(db);
    dump.set(name, rows.map(({ line }) => line).join('\n'));
  }
  return dump;
}

const textOf = async (db: Db) => [...(await dumpOf(db)).values()].join('\n');

test('after every flow, no table, log line, event or audit entry holds a secret that was handed out or in', async ({
  db,
}) => {
  const vault = openVault();
  const { said, email, userId } = await runEverything(db, vault);
  // What no flow wrote to, or nobody kept, could not be found.
  expect([...(await dumpOf(db))].filter(([, rows]) => rows === '')).toEqual([]);
  expect(vault.counts()).toEqual({
    'api key': 4,
    challenge: 9,
    device: 2,
    drawn: 66,
    'guessed token': 1,
    'lost token': 2,
    'mailed token': 10,
    oauth: 16,
    password: 8,
    'provider token': 4,
    'recovery code': 31,
    'refresh secret': 1,
    'refresh token': 3,
    'service token': 1,
    session: 23,
    'signing key': 2,
    'totp code': 4,
    'totp secret': 1,
    'webauthn nonce': 5,
  });
  for (const known of ['$argon2id$', '$better-auth', email, userId, 'v1.k1.'])
    expect(await textOf(db)).toContain(known);
  for (const known of ['auth.login.failed', 'auth.passkey.added', 'mail server is away', userId])
    expect(said).toContain(known);
  expect(vault.foundIn(await textOf(db))).toEqual([]);
  expect(vault.foundIn(said)).toEqual([]);

  // The same search finds each kind in each form where it is planted, as text and as bytes.
  const samples = vault.samples();
  const all = samples.flatMap(({ kind, secret }) =>
    formsOf(secret).map(([form, text]) => ({ name: `${kind} as ${form}`, text })),
  );
  await plant(db, { name: all.map(({ text }) => text).join(' ') });
  expect(vault.foundIn(await textOf(db))).toEqual(
    expect.arrayContaining(all.map(({ name }) => name)),
  );
  const bytes = samples.map(({ secret }) => Buffer.from(secret));
  await plant(db, { name: null, passkey_handle: Buffer.concat(bytes) });
  expect(new Set(vault.foundIn(await textOf(db)))).toEqual(
    new Set(samples.map(({ kind }) => `${kind} as hex of text`)),
  );
});

async function plant(db: Db, values: { name: string | null; passkey_handle?: Buffer }) {
  const one = db.selectFrom('svc_auth.users').select('id').orderBy('id').limit(1);
  await db.updateTable('svc_auth.users').set(values).where('id', '=', one).execute();
}
