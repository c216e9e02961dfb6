import { beforeAll, describe, expect, test } from 'vitest';
import {
  control,
  expectJson,
  inTenant,
  newAddress,
  request,
  signUp,
  signUpInTenant,
} from './client.ts';
import { join, type Person } from './members.ts';
import { sampleOf, type Schema } from './sample-body.ts';
import { createEndpoint, createProject, newPath, onlyDelivery, received } from './webhooks.ts';

// What each layer holds by itself (the scope without row-level security, row-level security without the scope) is shown
// where one can be switched off: packages/tenancy/test/one-layer-alone.test.ts, and apps/acceptance/test for app.projects.

interface Operation {
  readonly path: string;
  readonly method: string;
  readonly body: Schema | undefined;
}

interface Document {
  paths: Record<
    string,
    Record<string, { requestBody?: { content?: Record<string, { schema?: Schema }> } }>
  >;
}

/** Somebody who sends requests, as they are at this moment. */
interface Caller {
  readonly name: string;
  readonly as?: string | undefined;
  /** Names no tenant in the header, which beside a selection is refused before anything is looked up. */
  readonly isSilent?: true;
}

const canary = `canary-${crypto.randomUUID().slice(0, 8)}`;
let operations: Operation[];
let victim: Person;
let ids: Record<
  | 'id'
  | 'projectId'
  | 'userId'
  | 'invitationId'
  | 'sessionId'
  | 'keyId'
  | 'endpointId'
  | 'deliveryId',
  string
>;
let worker: { token: string };
let wanderer: { token: string };
let key: string;

beforeAll(async () => {
  const document = await expectJson<Document>(request('/openapi.json'));
  operations = Object.entries(document.paths)
    .filter(([path]) => !path.startsWith('/_acceptance'))
    .flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, { requestBody }]) => ({
        path,
        method: method.toUpperCase(),
        body: requestBody?.content?.['application/json']?.schema,
      })),
    );
  victim = await aVictim();
  worker = await signUpInTenant();
  wanderer = await signUp();
  const scopes = ['list', 'read', 'create', 'change', 'delete'].map((each) => `project.${each}`);
  scopes.push('webhook.manage');
  const made = { as: wanderer.token, json: { name: 'x', scopes } };
  key = (await expectJson<{ key: string }>(request('/auth/api-keys', made), 201)).key;
});

/** A tenant with something of everything in it. */
async function aVictim(): Promise<Person> {
  const owner = await signUpInTenant(newAddress(canary));
  const { token: as, tenantId } = owner;
  await expectJson(
    request(`/tenants/${tenantId}`, { method: 'PATCH', as, json: { name: canary } }),
  );
  const path = newPath();
  const { endpoint } = await createEndpoint(as, path, { description: canary });
  const project = await createProject(as, { name: canary, description: canary });
  await received(path, 1);
  const member = await join(owner, 'member');
  const invited = { as, json: { email: newAddress(canary), role: 'member' } };
  const invitation = await expectJson<{ id: string }>(
    request(`/tenants/${tenantId}/invitations`, invited),
    201,
  );
  const apiKey = await expectJson<{ id: string }>(
    request('/auth/api-keys', { as, json: { name: canary, scopes: ['project.list'] } }),
    201,
  );
  const sessions = await expectJson<{ items: { id: string }[] }>(request('/auth/sessions', { as }));
  ids = {
    id: tenantId,
    projectId: project.id,
    userId: member.id,
    invitationId: invitation.id,
    sessionId: sessions.items[0]?.id as string,
    keyId: apiKey.id,
    endpointId: endpoint.id,
    deliveryId: (await onlyDelivery(as, endpoint.id, 'delivered')).id,
  };
  return owner;
}

/** All that the victim sees of what is theirs. */
async function stateOfVictim() {
  const { token: as, tenantId } = victim;
  const read = async (path: string) => [path, await expectJson(request(path, { as }))] as const;
  const paths = ['', '/members', '/invitations'].map((path) => `/tenants/${tenantId}${path}`);
  const webhooks = [`endpoints/${ids.endpointId}`, `endpoints/${ids.endpointId}/secrets`];
  paths.push(...[...webhooks, `deliveries/${ids.deliveryId}`].map((path) => `/webhooks/${path}`));
  const seen = await Promise.all([...paths, '/projects', `/projects/${ids.projectId}`].map(read));
  const account = await Promise.all(['/auth/sessions', '/auth/api-keys'].map(read));
  const me = await expectJson(request('/auth/me', { as: victim.token }));
  const listed = account.map(([path, list]) => [
    path,
    (list as { items: { id: string }[] }).items.map(({ id }) => id),
  ]);
  return { seen, listed, me: (me as { user: object }).user };
}

/** The ways to fill the parameters of a path: with each of these ids, and with another in what belongs to a tenant. */
function fillings(path: string, [tenantId = '', ...others]: readonly string[]): string[] {
  const fill = (id: string, ...rest: string[]): string =>
    path.replace(/\{\w+\}/, id).replaceAll(/\{\w+\}/g, rest[0] ?? id);
  const paths = [tenantId, ...others].flatMap((id) => [fill(id), fill(tenantId, id)]);
  return [...new Set(paths)];
}

const unknown = Array.from(
  { length: 8 },
  (_, index) => `01900000-0000-7000-8000-00000000fff${index}`,
);

/** The requests that somebody sends with these ids in every place there is; the answers without what is of the request. */
async function send({ method, body }: Operation, path: string, caller: Caller, own: string[]) {
  const uuid = (name: string) => own[Object.keys(ids).indexOf(name)] ?? (own[0] as string);
  // As it should be, and with the tenant in it.
  const bodies = body === undefined ? [undefined] : [{}, { tenantId: uuid('id') }];
  const answers = [];
  for (const extra of bodies) {
    const json = body && { ...(sampleOf(body, uuid) as object), ...extra };
    const answer = await request(path, {
      method,
      ...(caller.as !== undefined && { as: caller.as }),
      ...(json !== undefined && { json }),
      headers: caller.isSilent === true ? {} : inTenant(uuid('id')),
    });
    const text = await answer.text();
    const id = answer.headers.get('x-request-id') ?? '';
    answers.push({ status: answer.status, text: text.replaceAll(id, '') });
  }
  return answers;
}

/** Those who want to get at it; anew where an operation has ended their session. */
async function callers(): Promise<Caller[]> {
  const lives = async ({ token }: { token: string }) =>
    (await request('/auth/me', { as: token })).status === 200;
  if (!(await lives(worker))) worker = await signUpInTenant();
  if (!(await lives(wanderer))) wanderer = await signUp();
  return [
    { name: 'somebody at work in another tenant', as: worker.token },
    { name: 'the same, who names none', as: worker.token, isSilent: true },
    { name: 'somebody without a tenant', as: wanderer.token },
    { name: 'an API key', as: key },
    { name: 'nobody' },
  ];
}

describe('with the ids of another tenant in every path, header and body', () => {
  test(
    'no operation shows anything of it, answers otherwise than for ids of nothing, or changes it',
    { timeout: 120_000 },
    async () => {
      const before = await stateOfVictim();
      expect(JSON.stringify(before)).toContain(canary);
      const faults: string[] = [];
      const statuses = new Map<string, number[]>();
      const pool = Object.values(ids);
      for (const operation of operations) {
        const name = `${operation.method} ${operation.path}`;
        const [theirs, none] = [fillings(operation.path, pool), fillings(operation.path, unknown)];
        for (const caller of await callers()) {
          const answers = await Promise.all(
            theirs.map(async (path, index) => [
              await send(operation, path, caller, pool),
              // Of an operation that names nothing there is nothing to compare, and nobody is refused before.
              theirs.length === 1 || caller.as === undefined
                ? undefined
                : await send(operation, none[index] as string, caller, unknown),
            ]),
          );
          for (const [seen = [], compared] of answers) {
            statuses.set(name, [
              ...(statuses.get(name) ?? []),
              ...seen.map(({ status }) => status),
            ]);
            const shown = seen.find(
              ({ text }) => text.includes(canary) || pool.some((id) => text.includes(id)),
            );
            if (shown !== undefined) faults.push(`${name} shows ${caller.name}: ${shown.text}`);
            if (seen.some(({ status }) => status >= 500)) faults.push(`${name} fails`);
            if (compared !== undefined && JSON.stringify(seen) !== JSON.stringify(compared))
              faults.push(
                `${name} tells ${caller.name}: ${JSON.stringify(seen)} is not ${JSON.stringify(compared)}`,
              );
          }
        }
      }
      expect(faults, faults.join('\n')).toEqual([]);
      expect(await stateOfVictim()).toEqual(before);
      // It got as far as where tenants are looked up.
      expect(operations.length).toBeGreaterThan(60);
      for (const name of ['GET', 'PATCH', 'DELETE'].flatMap((method) => [
        `${method} /projects/{id}`,
        `${method} /tenants/{id}`,
        `${method} /webhooks/endpoints/{id}`,
      ]))
        expect([name, statuses.get(name)]).toEqual([name, expect.arrayContaining([404])]);
    },
  );
});

test('svc finds no way past isolation in the schema of the app', { timeout: 60_000 }, async () => {
  const svc = (...args: string[]) => control('svc', { args, database: 'a6-04' });
  expect(await svc('db', 'migrate')).toMatchObject({ exitCode: 0 });
  const { exitCode, stdout } = await svc('tenants', 'lint', '--json');
  expect(JSON.parse(stdout)).toEqual({ ok: true, findings: [] });
  expect(exitCode).toBe(0);
});
