import { expect } from 'vitest';
import type { StackControls } from '../gate/controls.ts';

/** Where the app is. */
export const baseUrl = fromGate('BASE_URL');

function fromGate(name: string): string {
  const value = process.env[name];
  if (value === undefined) throw new Error('scenarios are run by the gate: pnpm accept');
  return value;
}

type Controls = StackControls;
type ArgumentOf<Name extends keyof Controls> = Parameters<Controls[Name]>[0];

/** Asks the gate to do something to the stack. */
export async function control<Name extends keyof Controls>(
  name: Name,
  ...[argument]: ArgumentOf<Name> extends undefined ? [] : [ArgumentOf<Name>]
): Promise<Awaited<ReturnType<Controls[Name]>>> {
  const answer = await fetch(`${fromGate('GATE_CONTROL_URL')}/${name}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${fromGate('GATE_CONTROL_TOKEN')}` },
    body: JSON.stringify(argument ?? {}),
  });
  const body = await answer.json();
  if (!answer.ok) throw new Error(`the gate could not ${name}: ${JSON.stringify(body)}`);
  return body as Awaited<ReturnType<Controls[Name]>>;
}

export interface RequestOptions {
  method?: string;
  json?: unknown;
  body?: string | Uint8Array<ArrayBuffer> | URLSearchParams;
  headers?: Record<string, string>;
  /** A bearer token. */
  as?: string;
  /** The client's address, as a proxy would name it. @default one that nobody else has */
  from?: string;
  signal?: AbortSignal;
}

/** A request to the app; redirects are not followed. */
export function request(
  path: string,
  { method, json, as, from = anyAddress(), headers = {}, ...rest }: RequestOptions = {},
): Promise<Response> {
  return fetch(`${baseUrl}${path}`, {
    method: method ?? (json === undefined && rest.body === undefined ? 'GET' : 'POST'),
    redirect: 'manual',
    ...(json !== undefined && { body: JSON.stringify(json) }),
    ...rest,
    headers: {
      'x-forwarded-for': from,
      ...(json !== undefined && { 'content-type': 'application/json' }),
      ...(as !== undefined && { authorization: `Bearer ${as}` }),
      ...headers,
    },
  });
}

/** An IP address, so that what one scenario counts does not lock another out. */
export function anyAddress(): string {
  const [a, b, c] = crypto.getRandomValues(new Uint8Array(3));
  return `10.${a}.${b}.${c}`;
}

/** A mail address nobody has used in this run. */
export const newAddress = (name = 'person') => `${name}.${crypto.randomUUID()}@example.test`;

export const goodPassword = 'correct horse battery staple';

/** The token in the next mail to an address that has a link to `path`; mails before it are passed over. */
export async function tokenFromMail(to: string, path: string): Promise<string> {
  const pattern = new RegExp(`${baseUrl}${path}\\?token=([A-Za-z0-9_-]+)`);
  for (;;) {
    const mail = await control('mail/next', { to, timeoutMs: 10_000 });
    const token = pattern.exec(mail.text)?.[1];
    if (token !== undefined) return token;
  }
}

/** Registers, verifies and signs a person in, the way a client without cookies does. */
export async function signUp(
  email = newAddress(),
  password = goodPassword,
): Promise<{ email: string; password: string; token: string }> {
  expect((await request('/auth/register', { json: { email, password } })).status).toBe(202);
  const verified = await request('/auth/verify', {
    json: { token: await tokenFromMail(email, '/auth/verify') },
  });
  expect(verified.status).toBe(200);
  return { email, password, token: await signIn(email, password) };
}

export async function signIn(email: string, password: string): Promise<string> {
  const answer = await request('/auth/login', { json: { email, password, transport: 'bearer' } });
  expect(answer.status).toBe(200);
  return ((await answer.json()) as { token: string }).token;
}

/** Makes a tenant of which the person of a session is the owner, and selects it for that session; answers its id. */
export async function createTenant(as: string, name = 'Acme'): Promise<string> {
  const { id } = await expectJson<{ id: string }>(request('/tenants', { as, json: { name } }), 201);
  expect((await request(`/tenants/${id}/select`, { method: 'POST', as })).status).toBe(200);
  return id;
}

/** A new person, who works in a tenant of their own. */
export async function signUpInTenant(email?: string) {
  const person = await signUp(email);
  return { ...person, tenantId: await createTenant(person.token) };
}

/** Names the tenant that a request is for, where its session or key has selected none. */
export const inTenant = (tenantId: string) => ({ 'x-tenant-id': tenantId });

/** The JSON of an answer that has this status. */
export async function expectJson<Body>(
  answer: Response | Promise<Response>,
  status = 200,
): Promise<Body> {
  const settled = await answer;
  const text = await settled.text();
  expect({ status: settled.status, body: text }).toMatchObject({ status });
  return JSON.parse(text) as Body;
}

/** An RFC 9457 body of the form the product promises. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  instance: string;
  request_id: string;
  detail?: string;
  errors?: { pointer: string; code: string; message: string }[];
}

/** Checks that an answer is a conforming problem with this status, and answers its body. */
export async function expectProblem(
  answer: Response,
  status: number,
  code?: string,
): Promise<Problem> {
  const text = await answer.text();
  expect({ status: answer.status, body: text }).toMatchObject({ status });
  expect(answer.headers.get('content-type')).toBe('application/problem+json');
  const problem = JSON.parse(text) as Problem;
  expect(problem).toMatchObject({
    type: expect.stringMatching(/^https?:\/\/.+/),
    title: expect.stringMatching(/\S/),
    status,
    code: code ?? expect.stringMatching(/^[a-z]+(?:\.[a-z_]+)?$/),
    instance: `urn:request:${answer.headers.get('x-request-id')}`,
    request_id: answer.headers.get('x-request-id'),
  });
  expect(problem.request_id).toMatch(/^[\w.-]{8,128}$/);
  for (const error of problem.errors ?? []) {
    expect(error).toEqual({
      pointer: expect.stringMatching(/^(?:\/|$)/),
      code: expect.stringMatching(/^[a-z_]+$/),
      message: expect.any(String),
    });
  }
  return problem;
}
