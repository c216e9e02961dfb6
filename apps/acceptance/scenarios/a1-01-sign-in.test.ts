import { describe, expect, test } from 'vitest';
import {
  control,
  expectProblem,
  goodPassword,
  inTenant,
  newAddress,
  request,
  signUp,
  signUpInTenant,
  tokenFromMail,
} from './client.ts';

const register = (email: string, password = goodPassword) =>
  request('/auth/register', { json: { email, password } });
const login = (email: string, password: string) =>
  request('/auth/login', { json: { email, password } });

describe('register, verify, login, me', () => {
  test('a person signs up by a mail received over SMTP and signs in with a cookie', async () => {
    const email = newAddress();
    expect((await register(email)).status).toBe(202);
    const token = await tokenFromMail(email, '/auth/verify');
    expect((await request('/auth/verify', { json: { token } })).status).toBe(200);

    const answer = await login(email, goodPassword);
    expect(answer.status).toBe(200);
    const cookie = answer.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^__Host-[\w-]+=[A-Za-z0-9_-]{43,};/);
    for (const attribute of ['Secure', 'HttpOnly', 'SameSite=Lax', 'Path=/'])
      expect(cookie).toContain(attribute);
    expect(cookie).not.toContain('Domain');

    const me = await request('/auth/me', { headers: { cookie: cookie.split(';')[0] as string } });
    expect(me.status).toBe(200);
    expect(await me.json()).toMatchObject({ user: { email } });
  });

  test('who signs in before verifying is refused, and mailed a new link; only the newest works', async () => {
    const email = newAddress();
    await register(email);
    const older = await tokenFromMail(email, '/auth/verify');
    await expectProblem(await login(email, goodPassword), 401, 'auth.invalid_credentials');
    const newest = await tokenFromMail(email, '/auth/verify');
    await expectProblem(await request('/auth/verify', { json: { token: older } }), 400);
    expect((await request('/auth/verify', { json: { token: newest } })).status).toBe(200);
    expect((await login(email, goodPassword)).status).toBe(200);
  });

  test('a token of a mail works once', async () => {
    const email = newAddress();
    await register(email);
    const token = await tokenFromMail(email, '/auth/verify');
    expect((await request('/auth/verify', { json: { token } })).status).toBe(200);
    await expectProblem(await request('/auth/verify', { json: { token } }), 400);
  });

  test('following the link shows a page with a button and consumes nothing', async () => {
    const email = newAddress();
    await register(email);
    const token = await tokenFromMail(email, '/auth/verify');
    for (let visit = 0; visit < 3; visit += 1) {
      const page = await request(`/auth/verify?token=${token}`);
      expect(page.status).toBe(200);
      expect(page.headers.get('content-type')).toContain('text/html');
      expect(page.headers.get('referrer-policy')).toBe('no-referrer');
      expect(await page.text()).toMatch(/<form[^>]*method="post"[\s\S]*<button/i);
    }
    const form = await request('/auth/verify', {
      body: new URLSearchParams({ token }),
      headers: { 'sec-fetch-site': 'same-origin' },
    });
    expect(form.status).toBeLessThan(400);
    expect((await login(email, goodPassword)).status).toBe(200);
  });

  test('signing out ends the session at once', async () => {
    const { token } = await signUp();
    expect((await request('/auth/me', { as: token })).status).toBe(200);
    expect((await request('/auth/logout', { method: 'POST', as: token })).status).toBe(204);
    await expectProblem(await request('/auth/me', { as: token }), 401);
  });

  test('a cookie is worth nothing in a request from another site', async () => {
    const { email, password, tenantId } = await signUpInTenant();
    const cookie = ((await login(email, password)).headers.get('set-cookie') ?? '').split(
      ';',
    )[0] as string;
    const create = (headers: Record<string, string>) =>
      request('/projects', {
        json: { name: 'x' },
        headers: { cookie, ...inTenant(tenantId), ...headers },
      });
    expect((await create({ 'sec-fetch-site': 'same-origin' })).status).toBe(201);
    await expectProblem(await create({ 'sec-fetch-site': 'cross-site' }), 403);
    await expectProblem(await create({ origin: 'https://evil.example' }), 403);
  });

  test('of two links to reset a password, only the newer one works', async () => {
    const { email } = await signUp();
    const forget = async () => {
      await request('/auth/password/forgot', { json: { email } });
      return tokenFromMail(email, '/auth/password/reset');
    };
    const [older, newer] = [await forget(), await forget()];
    const reset = (token: string) =>
      request('/auth/password/reset', { json: { token, password: 'a third long passphrase' } });
    await expectProblem(await reset(older), 400, 'auth.invalid_token');
    expect((await reset(newer)).status).toBe(204);
  });

  test('a forgotten password is reset by mail, and every session ends', async () => {
    const { email, password, token } = await signUp();
    const known = await request('/auth/password/forgot', { json: { email } });
    expect(known.status).toBe(202);
    const reset = await tokenFromMail(email, '/auth/password/reset');
    const next = 'an entirely different passphrase';
    expect(
      (await request('/auth/password/reset', { json: { token: reset, password: next } })).status,
    ).toBe(204);
    await expectProblem(await request('/auth/me', { as: token }), 401);
    await expectProblem(await login(email, password), 401);
    expect((await login(email, next)).status).toBe(200);
  });
});

describe('known and unknown addresses cannot be told apart', () => {
  test('by status, body or headers of any answer', async () => {
    const { email } = await signUp();
    const ask = {
      register: (to: string) => register(to),
      forgot: (to: string) => request('/auth/password/forgot', { json: { email: to } }),
      resend: (to: string) => request('/auth/verify/resend', { json: { email: to } }),
      login: (to: string) => login(to, 'not the password at all'),
    };
    for (const [what, send] of Object.entries(ask)) {
      const known = await fingerprint(await send(email));
      const unknown = await fingerprint(await send(newAddress()));
      expect({ what, ...unknown }).toEqual({ what, ...known });
    }
  });

  test('by time: the medians of a login and of a registration differ by less than a fifth or 5 ms', async () => {
    const { email } = await signUp();
    const stranger = newAddress();
    // Wrong passwords lock an address, whether anybody has it or not: always the same one, then.
    const sends = [
      ['login', (to: string) => login(to, 'not the password at all'), () => stranger],
      ['register', (to: string) => register(to), () => newAddress()],
    ] as const;
    for (const [what, send, nobody] of sends) {
      const known: number[] = [];
      const unknown: number[] = [];
      for (let round = 0; round < 25; round += 1) {
        known.push(await timed(() => send(email)));
        unknown.push(await timed(() => send(nobody())));
      }
      const difference = Math.abs(median(known) - median(unknown));
      expect(difference, what).toBeLessThan(Math.max(5, median(known) / 5));
    }
  });

  test('the owner of a known address is told, somebody unknown gets no mail', async () => {
    const { email } = await signUp();
    await register(email);
    const mail = await control('mail/next', { to: email, timeoutMs: 10_000 });
    expect(mail.subject).toContain('already have an account');
    const stranger = newAddress();
    await request('/auth/password/forgot', { json: { email: stranger } });
    const later = newAddress();
    await register(later);
    await control('mail/next', { to: later, timeoutMs: 10_000 });
    expect(await control('mail/all', { to: stranger })).toEqual([]);
  });
});

/** All of an answer that a stranger can see, less what differs in every answer. */
async function fingerprint(answer: Response) {
  const headers = [...answer.headers].filter(
    ([name]) => !['date', 'x-request-id', 'ratelimit'].includes(name),
  );
  const body = (await answer.text()).replaceAll(answer.headers.get('x-request-id') as string, 'ID');
  return { status: answer.status, headers, body };
}

async function timed(send: () => Promise<Response>): Promise<number> {
  const startedAt = performance.now();
  await (await send()).text();
  return performance.now() - startedAt;
}

const median = (values: number[]) =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] as number;
