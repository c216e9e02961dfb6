import { databaseTest } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { authMigrations } from '../src/migrations.ts';
import { tokenIn, signedIn } from '../src/testing.ts';
import { codeOf, newPassword, openAuth, password, someone } from './open-auth.ts';

const test = databaseTest([authMigrations]);

test('after every flow, no table and no log line holds a secret that was handed out or in', async ({
  db,
}) => {
  const { auth, outbox, logger } = openAuth(db);
  const principalOf = async (token: string) => {
    const principal = await auth.authenticate(token);
    if (principal === null) throw new Error('no session is alive for the token');
    return principal;
  };
  const [email, waiting] = [someone(), someone()];
  await auth.register({ email, password });
  await outbox.next('verify', email);
  await auth.resendVerification({ email });
  await auth.verify({ token: await outbox.nextToken('verify', email) });
  await auth.register({ email: waiting, password: 'a password that waits' });
  await auth.register({ email, password: 'a password of a stranger' });
  const { token: ended } = signedIn(await auth.login({ email, password }));
  await auth.logout({ token: ended });
  const { token: alive } = signedIn(await auth.login({ email, password }));
  await auth.forgotPassword({ email });
  const reset = await outbox.nextToken('reset_password', email);
  await codeOf(auth.resetPassword({ token: reset, password: 'short' }));
  await auth.resetPassword({ token: reset, password: newPassword });
  const { token: last } = signedIn(await auth.login({ email, password: newPassword }));
  const third = 'nine calm herons at noon';
  const change = { currentPassword: newPassword, password: third };
  const { token: changed } = await auth.account.changePassword(await principalOf(last), change);
  const next = someone();
  await auth.account.requestEmailChange(await principalOf(changed), { email: next });
  const moved = await outbox.nextToken('confirm_email', next);
  await auth.account.confirmEmailChange({ token: moved });
  const { token: again } = signedIn(await auth.login({ email: next, password: third }));
  await auth.account.requestEmailChange(await principalOf(again), { email });
  await auth.forgotPassword({ email: next });
  await auth.stop();

  const mailed = outbox.mails.flatMap((mail) =>
    mail.data.link.includes('token=') ? [tokenIn(mail.data.link)] : [],
  );
  expect(mailed).toHaveLength(7);
  const tokens = [ended, alive, last, changed, again, ...mailed];
  const passwords = [
    password,
    newPassword,
    third,
    'a password that waits',
    'a password of a stranger',
  ];
  // bytea shows as hex, so a secret is looked for as text and as the bytes of its text and of what it encodes.
  const forms = [
    ...tokens.flatMap((token) => [
      token,
      hex(Buffer.from(token)),
      hex(Buffer.from(token, 'base64url')),
    ]),
    ...passwords.flatMap((each) => [each, hex(Buffer.from(each))]),
  ];
  const dump = await dumpOf(db);
  expect(dump).toContain('$argon2id$');
  expect(dump).toContain(email);
  const kept = `${dump}\n${JSON.stringify(logger.lines)}`;
  expect(forms.filter((form) => kept.includes(form))).toEqual([]);
});

const hex = (bytes: Buffer) => bytes.toString('hex');

async function dumpOf(db: Parameters<typeof openAuth>[0]): Promise<string> {
  const tables = await sql<{
    table_name: string;
  }>`select table_name from information_schema.tables where table_schema = 'svc_auth'`.execute(db);
  expect(tables.rows.length).toBeGreaterThanOrEqual(5);
  const rows: string[] = [];
  for (const { table_name: table } of tables.rows) {
    const result = await sql<{
      line: string;
    }>`select t::text as line from ${sql.table(`svc_auth.${table}`)} t`.execute(db);
    rows.push(...result.rows.map(({ line }) => `${table} ${line}`));
  }
  return rows.join('\n');
}
