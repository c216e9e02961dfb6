import { databaseTest } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import type { Principal } from '../src/index.ts';
import { authMigrations } from '../src/migrations.ts';
import { signedIn, tokenIn, totpCode } from '../src/testing.ts';
import { codeOf, newPassword, openAuth, password, someone } from './open-auth.ts';

const test = databaseTest([authMigrations]);

test('after every flow, no table and no log line holds a secret that was handed out or in', async ({
  db,
}) => {
  const { auth, clock, outbox, logger } = openAuth(db);
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
  const browser = { deviceToken: null };
  const { token: last, deviceToken: device } = signedIn(
    await auth.login({ email, password: newPassword }, { origin: browser }),
  );
  await codeOf(auth.login({ email, password: 'a guess' }, { origin: { deviceToken: device } }));
  await auth.forgotPassword({ email });
  const principal = (await auth.authenticate(last)) as Principal;
  const { secret } = await auth.mfa.enrolTotp(principal);
  const confirmed = await auth.mfa.confirmTotp(principal, { code: totpCode(secret, clock.now()) });
  const [used = '', ...unused] = confirmed.recoveryCodes ?? [];
  const half = await auth.login({ email, password: newPassword });
  const challenge = half.status === 'second_factor_required' ? half.challenge : '';
  const { token: second } = await auth.mfa.answerChallenge({
    challenge,
    method: 'recovery_code',
    code: used,
  });
  const third = 'nine calm herons at noon';
  const { token: changed } = await auth.account.changePassword(
    (await auth.authenticate(second)) as Principal,
    { currentPassword: newPassword, password: third },
  );
  const next = someone();
  const asking = (await auth.authenticate(changed)) as Principal;
  await auth.account.requestEmailChange(asking, { email: next });
  const moved = await outbox.nextToken('confirm_email', next);
  await auth.account.confirmEmailChange({ token: moved });
  await auth.forgotPassword({ email: next });
  await auth.stop();

  const mailed = outbox.mails.flatMap((mail) =>
    mail.data.link.includes('token=') ? [tokenIn(mail.data.link)] : [],
  );
  expect(mailed).toHaveLength(7);
  const codes = [used, ...unused].flatMap((code) => [code, code.replaceAll('-', '')]);
  expect(codes).toHaveLength(20);
  const sessions = [ended, alive, last, confirmed.token, second, changed];
  const tokens = [...sessions, challenge, device as string, ...mailed];
  const passwords = [
    password,
    'a guess',
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
    ...[...passwords, ...codes, secret].flatMap((each) => [each, hex(Buffer.from(each))]),
  ];
  const dump = await dumpOf(db);
  expect(dump).toContain('$argon2id$');
  expect(dump).toContain(next);
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
