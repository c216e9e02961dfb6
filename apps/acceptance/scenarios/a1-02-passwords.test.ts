import { createHash } from 'node:crypto';
import { afterAll, describe, expect, test } from 'vitest';
import {
  control,
  expectProblem,
  goodPassword,
  newAddress,
  request,
  signIn,
  tokenFromMail,
} from './client.ts';

const register = (password: string, email = newAddress(), name?: string) =>
  request('/auth/register', { json: { email, password, name } });

/** Why a password was refused. */
async function faultOf(answer: Response): Promise<string | undefined> {
  const { errors } = await expectProblem(answer, 400, 'core.validation_failed');
  expect(errors?.map(({ pointer }) => pointer)).toEqual(['/password']);
  return errors?.[0]?.code;
}

async function verified(password: string): Promise<string> {
  const email = newAddress();
  expect((await register(password, email)).status).toBe(202);
  const token = await tokenFromMail(email, '/auth/verify');
  expect((await request('/auth/verify', { json: { token } })).status).toBe(200);
  return email;
}

describe('the policy of NIST SP 800-63B-4', () => {
  test('15 characters at least, each code point one; no rule of composition', async () => {
    expect(await faultOf(await register('f'.repeat(7) + 'gjkwuei'))).toBe('password_too_short');
    expect(await faultOf(await register('🦦🐢🦉🐝🦊🐙🦀'))).toBe('password_too_short');
    for (const password of ['🦦🐢🦉🐝🦊🐙🦀🐍🦋🐌🐞🦂🐬🦈🐘', 'only lower case words here'])
      expect((await register(password)).status, password).toBe(202);
  });

  test('64 and many more are taken, spaces and all, and nothing is cut off', async () => {
    const long = `  otters   ${'dawn and dusk '.repeat(20)} `;
    const email = await verified(long);
    await signIn(email, long);
    for (const near of [long.trim(), long.slice(0, -1), `${long} `])
      await expectProblem(
        await request('/auth/login', { json: { email, password: near } }),
        401,
        'auth.invalid_credentials',
      );
  });

  test('one password typed in two Unicode forms is one', async () => {
    const email = await verified('Grüße aus Zürich, été'.normalize('NFD'));
    await signIn(email, 'Grüße aus Zürich, été'.normalize('NFC'));
  });

  test('what is guessed first is refused, in any case: common, repeated, in sequence', async () => {
    for (const password of [
      'passwordpassword',
      'aaaaaaaaaaaaaaaaaaaa',
      '123456789012345678',
      'QwertyUiopAsdfGhjkl',
    ])
      expect(await faultOf(await register(password)), password).toBe('password_common');
  });

  test('the own address, the own name and the name of the service do not make it longer', async () => {
    const email = `seven.otters.${crypto.randomUUID().slice(0, 8)}@example.test`;
    const local = email.split('@')[0] as string;
    expect(await faultOf(await register(`${local}!1`, email))).toBe('password_contains_context');
    expect(await faultOf(await register('Wilhelmina-Grey1', newAddress(), 'Wilhelmina Grey'))).toBe(
      'password_contains_context',
    );
    expect(await faultOf(await register('projects 2026!!'))).toBe('password_contains_context');
    expect((await register('seven projects of quiet otters at dawn')).status).toBe(202);
  });

  test('NUL is refused, and so is what is longer than anybody needs', async () => {
    expect(await faultOf(await register(`seven quiet\0otters at dawn`))).toBe('nul_character');
    expect(await faultOf(await register('seven otters '.repeat(100)))).toBe('password_too_long');
  });
});

describe('the breach check', () => {
  test('a listed password is refused, also at a reset, and the list learns five characters', async () => {
    const password = `once leaked ${crypto.randomUUID()}`;
    await control('breaches/add', { password, count: 12 });
    expect(await faultOf(await register(password))).toBe('password_breached');
    const email = await verified(goodPassword);
    await request('/auth/password/forgot', { json: { email } });
    const token = await tokenFromMail(email, '/auth/password/reset');
    const reset = await request('/auth/password/reset', { json: { token, password } });
    expect(await faultOf(reset)).toBe('password_breached');

    const hash = createHash('sha1').update(password).digest('hex').toUpperCase();
    const asked = await control('breaches/requests');
    const own = asked.filter(({ path }) => path.toUpperCase() === `/RANGE/${hash.slice(0, 5)}`);
    expect(own.length).toBeGreaterThanOrEqual(2);
    for (const { headers } of own) expect(headers['add-padding']).toBe('true');
    expect(JSON.stringify(asked).toUpperCase()).not.toContain(hash.slice(5));
    expect(JSON.stringify(asked)).not.toContain(password);
  });

  test('a row of padding, which counts 0, refuses nobody', async () => {
    const password = `never leaked ${crypto.randomUUID()}`;
    await control('breaches/add', { password, count: 0 });
    expect((await register(password)).status).toBe(202);
  });

  test('while the list is silent or fails, new passwords are taken within about a second, and it is logged', async () => {
    for (const mood of ['silent', 'failing'] as const) {
      await control('breaches/mood', { mood });
      const startedAt = performance.now();
      expect((await register(`for a bad day ${crypto.randomUUID()}`)).status).toBe(202);
      expect(performance.now() - startedAt).toBeLessThan(1400);
    }
    expect(await control('app/log')).toMatch(/without asking the breach list/);
  });

  test('where the setting says so, they are refused instead, and nobody who has one is kept out', async () => {
    await control('breaches/mood', { mood: 'well' });
    const email = await verified(goodPassword);
    await control('breaches/mood', { mood: 'failing' });
    await control('app/terminate', { signal: 'SIGKILL' });
    await control('app/start', { environment: { AUTH_BREACH_LIST_UNREACHABLE: 'refuse' } });
    const answer = await register(`for a bad day ${crypto.randomUUID()}`);
    expect(answer.headers.get('retry-after')).toMatch(/^\d+$/);
    await expectProblem(answer, 503, 'auth.breach_check_unavailable');
    await signIn(email, goodPassword);
  });
});

afterAll(async () => {
  await control('breaches/mood', { mood: 'well' });
  await control('app/terminate', { signal: 'SIGKILL' });
  await control('app/start', {});
});
