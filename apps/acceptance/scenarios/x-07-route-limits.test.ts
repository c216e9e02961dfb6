import { describe, expect, test } from 'vitest';
import {
  anyAddress,
  control,
  expectJson,
  expectProblem,
  newAddress,
  request,
  signUp,
  signUpInTenant,
} from './client.ts';

// As the gate sets them.
const [signInQuota, mailAddressQuota, mailRecipientQuota, createQuota, freePlan] = [
  150, 45, 30, 200, 5,
];
// As it is where nobody says otherwise.
const tenantsQuota = 10;

const statuses = (answers: readonly Response[]) => {
  const counts: Record<number, number> = {};
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
};
const atOnce = (count: number, send: (index: number) => Promise<Response>) =>
  Promise.all(Array.from({ length: count }, (_, index) => send(index)));

const forgot = (email: string, from = anyAddress()) =>
  request('/auth/password/forgot', { from, json: { email } });

describe('a route has a limit of its own', () => {
  test('of attempts to sign in from one address; other routes and addresses are not touched', async () => {
    const from = anyAddress();
    const challenge = 'A'.repeat(43);
    const attempt = () =>
      request('/auth/mfa/challenge', { from, json: { challenge, method: 'totp', code: '123456' } });
    const first = await attempt();
    expect(first.headers.get('ratelimit-policy')).toBe(
      `"address";q=200;w=2, "sign_in";q=${signInQuota};w=10`,
    );
    const answers = await atOnce(signInQuota + 20, attempt);
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(20);
    const [one] = refused as [Response, ...Response[]];
    expect(one.headers.get('ratelimit')).toMatch(/"sign_in";r=0;t=\d+/);
    expect(await expectProblem(one, 429, 'ratelimit.exceeded')).toMatchObject({
      'violated-policies': ['sign_in'],
    });
    expect((await request('/ping', { from })).status).toBe(200);
  });

  test('of projects that one person creates, from wherever', async () => {
    const [one, other] = [await signUpInTenant(), await signUpInTenant()];
    const create = (as: string) => request('/projects', { as, json: { name: 'Apollo' } });
    const answers: Response[] = [];
    while (answers.length < createQuota + 10)
      answers.push(...(await atOnce(10, () => create(one.token))));
    expect(statuses(answers)).toEqual({ 201: freePlan, 403: createQuota - freePlan, 429: 10 });
    expect((await request('/projects', { as: one.token })).status).toBe(200);
    expect((await create(other.token)).status).toBe(201);
  });
});

test('one person makes only so many tenants, from wherever, and has the others', async () => {
  const [one, other] = [await signUpInTenant(), await signUp()];
  const create = (as: string) => request('/tenants', { as, json: { name: 'Acme' } });
  // One is made already.
  const answers = await atOnce(tenantsQuota + 4, () => create(one.token));
  expect(statuses(answers)).toEqual({ 201: tenantsQuota - 1, 429: 5 });
  const refused = await expectProblem(await create(one.token), 429, 'ratelimit.exceeded');
  expect(refused).toMatchObject({ 'violated-policies': ['tenants'] });
  expect((await create(other.token)).status).toBe(201);
  const { items } = await expectJson<{ items: object[] }>(request('/tenants', { as: one.token }));
  expect(items).toHaveLength(tenantsQuota);
  expect((await request('/projects', { as: one.token })).status).toBe(200);
});

describe('mails', () => {
  test('nobody floods a mailbox, from however many addresses, however it is written', async () => {
    const { email } = await signUp();
    const [local, domain] = email.split('@') as [string, string];
    const spellings = [email, email.toUpperCase(), ` ${email}`, `${local}+tag@${domain}`];
    const answers = await atOnce(mailRecipientQuota + 20, (index) =>
      forgot(spellings[index % spellings.length] as string),
    );
    expect(statuses(answers)).toEqual({ 202: mailRecipientQuota, 429: 20 });
    await expectProblem(await forgot(email), 429, 'ratelimit.exceeded');
    // Who signs up with another kind of request is not kept away by that.
    const register = { json: { email, password: 'x' } };
    await expectProblem(await request('/auth/register', register), 400);
    expect((await forgot(newAddress())).status).toBe(202);
    // Beside the one of signing up.
    const mails = await control('mail/all', { to: email });
    expect(mails.length).toBeLessThanOrEqual(mailRecipientQuota + 1);
  });

  test('nobody floods a mailbox with invitations, from however many tenants and addresses', async () => {
    const owners = [await signUpInTenant(), await signUpInTenant()];
    const [email, other] = [newAddress(), newAddress()];
    const invite = ({ token: as, tenantId }: (typeof owners)[number], to: string) =>
      request(`/tenants/${tenantId}/invitations`, { as, json: { email: to, role: 'member' } });
    const ownerAt = (index: number) => owners[index % owners.length] as (typeof owners)[number];
    const answers: Response[] = [];
    // A few at once: invitations to a tenant are made one after the other.
    while (answers.length < mailRecipientQuota + 6)
      answers.push(...(await atOnce(6, (index) => invite(ownerAt(index), email))));
    expect(statuses(answers)).toEqual({ 201: mailRecipientQuota, 429: 6 });
    await expectProblem(await invite(ownerAt(0), email), 429, 'ratelimit.exceeded');
    expect((await invite(ownerAt(0), other)).status).toBe(201);
    // Who is not signed in uses nothing of it up.
    const strangers = await atOnce(mailRecipientQuota + 5, () =>
      request(`/tenants/${ownerAt(0).tenantId}/invitations`, { json: { email: other } }),
    );
    expect(statuses(strangers)).toEqual({ 401: mailRecipientQuota + 5 });
    expect((await invite(ownerAt(1), other)).status).toBe(201);
    const mails = await control('mail/all', { to: email });
    expect(mails.length).toBeLessThanOrEqual(mailRecipientQuota);
  });

  test('a known and an unknown mailbox are told the same, before the limit and beyond it', async () => {
    const { email } = await signUp();
    const seen = async (to: string) => {
      const from = anyAddress();
      const lines: object[] = [];
      for (const answer of await atOnce(mailRecipientQuota + 2, () => forgot(to)))
        lines.push(await toldBy(answer));
      lines.push(await toldBy(await forgot(to, from)));
      return lines.map((line) => JSON.stringify(line)).toSorted();
    };
    expect(await seen(newAddress())).toEqual(await seen(email));
  });

  test('what others ask for a mailbox does not show in any header', async () => {
    const { email } = await signUp();
    const before = (await forgot(email)).headers;
    await atOnce(5, () => forgot(email));
    const after = (await forgot(email)).headers;
    const names = (headers: Headers) => headers.get('ratelimit')?.match(/"\w+";r=\d+/g);
    expect(names(before)).toEqual(['"address";r=199', `"mail_address";r=${mailAddressQuota - 1}`]);
    expect(names(after)).toEqual(names(before));
    expect(after.get('ratelimit-policy')).toBe(
      `"address";q=200;w=2, "mail_address";q=${mailAddressQuota};w=3600`,
    );
  });

  test('one address causes no more mails than it may, whomever to, by every route that sends them', async () => {
    const { token: owner, tenantId } = await signUpInTenant();
    for (const [path, as] of [
      [`/tenants/${tenantId}/invitations`, owner],
      ['/auth/register', undefined],
      ['/auth/verify/resend', undefined],
      ['/auth/password/forgot', undefined],
      ['/auth/email/change', (await signUp()).token],
    ] as const) {
      const from = anyAddress();
      // A name in a body that the route refuses counts, too, and costs nobody a hash.
      const send = () =>
        request(path, {
          from,
          ...(as !== undefined && { as }),
          json: { email: newAddress(), other: true },
        });
      const answers = await atOnce(mailAddressQuota + 5, send);
      expect({ path, ...statuses(answers) }).toEqual({ path, 400: mailAddressQuota, 429: 5 });
    }
  });
});

test('the document says which operations have limits, and what they tell', async () => {
  const { paths } = await expectJson<{
    paths: Record<
      string,
      Record<string, { responses: Record<string, { headers?: Record<string, unknown> }> }>
    >;
  }>(request('/openapi.json'));
  const told = (path: string, method: string, status: number) =>
    Object.keys(paths[path]?.[method]?.responses[status]?.headers ?? {}).toSorted();
  for (const [path, method, status] of [
    ['/ping', 'get', 200],
    ['/projects', 'post', 201],
    ['/auth/login', 'post', 200],
  ] as const) {
    expect(told(path, method, status)).toEqual(
      expect.arrayContaining(['RateLimit', 'RateLimit-Policy']),
    );
    expect(told(path, method, 429)).toEqual(
      expect.arrayContaining(['RateLimit', 'RateLimit-Policy', 'Retry-After']),
    );
  }
  expect(told('/healthz', 'get', 200)).not.toContain('RateLimit');
});

/** All of an answer that a stranger can see, less what differs in every answer. */
async function toldBy(answer: Response) {
  const headers = [...answer.headers]
    .filter(([name]) => !['date', 'x-request-id', 'retry-after'].includes(name))
    .map(([name, value]) => [name, value.replaceAll(/;t=\d+/g, '')]);
  const body = (await answer.text()).replaceAll(answer.headers.get('x-request-id') as string, 'ID');
  return { status: answer.status, headers, body };
}
