import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Db, transact } from '@svc/db';
import { databaseTest } from '@svc/db/testing';
import * as v from 'valibot';
import { expect } from 'vitest';
import { type Auth, type MailRequest, MailRequestSchema } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { signedIn, tokenIn } from '../src/testing.ts';
import { queued, queueFor, queueMail, queueMigrations } from './mail-queue.ts';
import { codeOf, newPassword, openAuth, password, someone, tally } from './open-auth.ts';

const test = databaseTest([authMigrations, queueMigrations]);
const fifty = Array.from({ length: 50 }, (_, index) => index);
const staff = { type: 'system', id: null } as const;
const nobody = '01999999-9999-7999-8999-999999999999';

/** Sign-in whose mails stand in a queue until the test delivers them. */
function openQueued(db: Db) {
  const opened = openAuth(db, { queueMail });
  const last = async () => (await queued(db)).at(-1) as MailRequest;
  const passwordHash = opened.auth['~context'].hasher.hash(password);
  const imported = async () => {
    const email = someone();
    const user = { email, verified: true, passwordHash: await passwordHash };
    const { id } = await opened.auth.users.import(user, staff);
    return { email, id };
  };
  return { ...opened, last, imported };
}
type Queued = ReturnType<typeof openQueued>;

/** A mail with a link that waits in the queue, and what its link is for. */
const links: Readonly<
  Record<string, (opened: Queued) => Promise<(auth: Auth, token: string) => Promise<unknown>>>
> = {
  async verify({ auth }) {
    await auth.register({ email: someone(), password });
    return (at, token) => at.verify({ token });
  },
  async reset_password({ auth, imported }) {
    const { email } = await imported();
    await auth.forgotPassword({ email });
    return (at, token) => at.resetPassword({ token, password: newPassword });
  },
  async confirm_email({ auth, imported }) {
    const { email } = await imported();
    const { token } = signedIn(await auth.login({ email, password }));
    const principal = await auth.authenticate(token);
    await auth.account.requestEmailChange(principal as NonNullable<typeof principal>, {
      email: someone(),
    });
    return (at, link) => at.account.confirmEmailChange({ token: link });
  },
};
const kinds = Object.entries(links);

test.for(kinds)(
  '%s: of 50 deliveries of one request at once, one link works',
  async ([, ask], { db }) => {
    const opened = openQueued(db);
    const { auth, outbox, last } = opened;
    const use = await ask(opened);
    const request = await last();
    await Promise.all(fifty.map(() => auth.deliverMail(request)));
    const tokens = outbox.mails.map(({ data }) => tokenIn(data.link));
    expect(new Set(tokens).size).toBe(50);
    const used = await tally(tokens.map((token) => use(auth, token)));
    expect(used).toEqual({ fulfilled: 1, codes: ['auth.invalid_token'] });
  },
);

test.for(kinds)(
  '%s: of a process that is killed before its mail is sent, the link is void, and a retry sends one that works',
  async ([, ask], { db, database }) => {
    const opened = openQueued(db);
    const { auth, outbox, last, clock } = opened;
    const use = await ask(opened);
    const request = await last();
    const lost = tokenIn(await killedWhenSending(database.urls?.url ?? '', request, clock.now()));
    await auth.deliverMail(request);
    const sent = tokenIn(outbox.mails.at(-1)?.data.link ?? '');
    expect(await codeOf(use(auth, lost))).toBe('auth.invalid_token');
    await use(auth, sent);
  },
);

async function killedWhenSending(url: string, request: MailRequest, at: Date): Promise<string> {
  const program = fileURLToPath(new URL('./programs/deliver-mail.ts', import.meta.url));
  const parameters = [url, JSON.stringify(request), at.toISOString()];
  const child = spawn(process.execPath, ['--conditions=@svc/source', program, ...parameters]);
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const { value } = await createInterface(child.stdout)[Symbol.asyncIterator]().next();
  if (value === undefined) throw new Error(`the program ended: ${stderr}`);
  child.kill('SIGKILL');
  await once(child, 'close');
  return value as string;
}

test('a mail that cannot be sent is thrown without its token, and sent again by a retry', async ({
  db,
}) => {
  const tried: string[] = [];
  const { auth } = openAuth(db, {
    queueMail,
    async sendMail({ data }) {
      tried.push(tokenIn(data.link));
      if (tried.length === 1) throw new TypeError(`could not deliver ${data.link}`);
    },
  });
  await auth.register({ email: someone(), password });
  const request = (await queued(db)).at(-1) as MailRequest;
  const error: unknown = await auth.deliverMail(request).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ name: 'TypeError' });
  expect(String(error)).toContain('could not deliver https://');
  expect(`${String(error)} ${(error as Error).stack} ${JSON.stringify(error)}`).not.toContain(
    tried[0],
  );
  await auth.deliverMail(request);
  expect(await codeOf(auth.verify({ token: tried[0] as string }))).toBe('auth.invalid_token');
  await auth.verify({ token: tried[1] as string });
});

test('known or not, a request queues as much, of the schema, and no address that was typed', async ({
  db,
}) => {
  const { auth, imported } = openQueued(db);
  const origin = { requestId: 'r1', address: '192.0.2.1', device: 'a text of anybody' };
  const known = (await imported()).email;
  const seen: unknown[] = [];
  for (const email of [known, someone()]) {
    const before = (await queued(db)).length;
    await auth.forgotPassword({ email }, { origin });
    await auth.resendVerification({ email }, { origin });
    const added = (await queued(db)).slice(before);
    for (const each of added) v.assert(MailRequestSchema, each);
    expect(JSON.stringify(added)).not.toContain(email);
    expect(JSON.stringify(added)).not.toContain(origin.device);
    seen.push(
      added.map((each) =>
        Object.entries(each).map(([name, value]) => (name === 'userId' ? name : value)),
      ),
    );
  }
  expect(seen[0]).toHaveLength(2);
  expect(seen[1]).toEqual(seen[0]);
  await auth.register({ email: known, password });
  await auth.register({ email: someone(), password });
  const registered = (await queued(db)).slice(-2).map(({ template }) => template);
  expect(registered).toEqual(['already_registered', 'verify']);
});

test('what is over when its turn comes is not sent', async ({ db }) => {
  const { auth, outbox, clock, last, imported } = openQueued(db);
  const silent = async (request: MailRequest) => {
    const before = outbox.mails.length;
    await auth.deliverMail(request);
    expect(outbox.mails.slice(before)).toEqual([]);
  };
  // Nobody has the address.
  await auth.forgotPassword({ email: someone() });
  await silent(await last());
  await auth.resendVerification({ email: someone() });
  await silent(await last());
  // Verified by now.
  await auth.register({ email: someone(), password });
  const registered = await last();
  await auth.deliverMail(registered);
  await auth.verify({ token: tokenIn(outbox.mails.at(-1)?.data.link ?? '') });
  await silent(registered);
  // Reset by now.
  const { email, id } = await imported();
  await auth.forgotPassword({ email });
  const forgotten = await last();
  await auth.deliverMail(forgotten);
  const token = tokenIn(outbox.mails.at(-1)?.data.link ?? '');
  await clock.advance('1s');
  await auth.resetPassword({ token, password: newPassword });
  await silent(forgotten);
  // Disabled by now.
  const notice = await last();
  expect(notice).toMatchObject({ template: 'password_changed', userId: id, email });
  await auth.users.disable(id, staff);
  await silent(notice);
  await silent({ template: 'already_registered', userId: nobody });
});

test('a notice goes to the address on file when it happened', async ({ db }) => {
  const { auth, outbox, last, imported } = openQueued(db);
  const { email, id } = await imported();
  const { token } = signedIn(await auth.login({ email, password }));
  const principal = await auth.authenticate(token);
  await auth.account.changePassword(principal as NonNullable<typeof principal>, {
    currentPassword: password,
    password: newPassword,
  });
  await db.updateTable('svc_auth.users').set({ email: someone() }).where('id', '=', id).execute();
  await auth.deliverMail(await last());
  expect(outbox.mails.at(-1)).toMatchObject({ template: 'password_changed', to: email });
});

test('what is rolled back queues nothing, and what is committed is delivered', async ({ db }) => {
  const opened: ReturnType<typeof openAuth> = openAuth(db, {
    queueMail: queueFor(() => opened.auth),
  });
  const email = someone();
  const change = new Error('of mind');
  const before = (await queued(db)).length;
  const attempt = transact(db, async (within) => {
    await opened.auth.register({ email, password }, { within });
    throw change;
  });
  await expect(attempt).rejects.toBe(change);
  expect(await queued(db)).toHaveLength(before);
  await opened.auth.register({ email, password });
  await opened.auth.verify({ token: await opened.outbox.nextToken('verify', email) });
});
