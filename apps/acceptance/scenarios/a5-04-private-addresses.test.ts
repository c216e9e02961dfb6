import { connect } from 'node:net';
import { once } from 'node:events';
import { beforeAll, expect, test } from 'vitest';
import { control, expectProblem, request, signUpInTenant } from './client.ts';
import {
  createEndpoint,
  createProject,
  newPath,
  onlyDelivery,
  received,
  sendTest,
} from './webhooks.ts';

let token: string;
let places: { url: string; trapPort: number };
beforeAll(async () => {
  ({ token } = await signUpInTenant());
  places = await control('hooks/places');
});

const refusedHosts = [
  '127.0.0.1',
  '127.1',
  '0.0.0.0',
  '2130706433',
  '0x7f000001',
  '017700000001',
  '127.0.0.1.',
  '[::1]',
  '[::]',
  '[::ffff:127.0.0.1]',
  '[::ffff:7f00:1]',
  '[64:ff9b::7f00:1]',
  '[2002:7f00:1::]',
  'localhost',
  'LOCALHOST.',
  'a.localhost',
  '①②⑦.0.0.1',
  '10.0.0.1',
  '172.16.0.1',
  '192.168.1.1',
  '100.64.0.1',
  '169.254.169.254',
  '[fe80::1]',
  '[fd00:ec2::254]',
  'metadata.google.internal',
  'printer.local',
  '168.63.129.16',
  '224.0.0.1',
  '255.255.255.255',
];
const of = (host: string) => `https://${host}:${places.trapPort}/latest/meta-data`;

/** Every refusal is one and the same, so that nobody learns what stands in our network. */
async function expectRefused(url: string, path = '/webhooks/endpoints', method = 'POST') {
  const answer = await request(path, { method, as: token, json: { url } });
  const { errors } = await expectProblem(answer, 400);
  expect(errors?.map(({ pointer }) => pointer)).toEqual(['/url']);
  return errors?.[0]?.message;
}

test('an endpoint on an address that is not public is refused, however it is written, and all in one way', async () => {
  const messages = new Set<string | undefined>();
  for (const host of refusedHosts) messages.add(await expectRefused(of(host)));
  expect(messages.size).toBe(1);
  expect([...messages].join()).not.toMatch(/127|local|private/);
});

test('so is what is no https URL of a public name and a port that may be called', async () => {
  const { port } = new URL(places.url);
  const urls = [
    'http://hooks.example.com/',
    'ftp://hooks.example.com/',
    'file:///etc/passwd',
    'https://user:password@hooks.example.com/',
    'https://hooks.example.com:22/',
    'https://hooks.example.com/#fragment',
    '//hooks.example.com',
    // Almost what the gate allows.
    `https://127.0.0.1:${port}/`,
    `http://127.0.0.1:${places.trapPort}/`,
    `http://localhost:${port}/`,
    `http://127.0.0.1:${port}.example.com/`,
    `http://127.0.0.1:${port}@10.0.0.1/`,
  ];
  for (const url of urls) await expectRefused(url);
});

test('an endpoint cannot be changed into one either', async () => {
  const path = newPath();
  const { endpoint } = await createEndpoint(token, path);
  const at = `/webhooks/endpoints/${endpoint.id}`;
  for (const host of ['127.0.0.1', '[::1]', '169.254.169.254'])
    await expectRefused(of(host), at, 'PATCH');
  expect((await sendTest(token, endpoint.id)).status).toBe('delivered');
  await received(path, 1);
});

/** An endpoint on a name of the gate's own name server. */
async function endpointNamed(rounds: string[][]) {
  const name = `${crypto.randomUUID()}.hooks.example.com`;
  await control('names/set', { name, rounds });
  const url = `https://${name}:${places.trapPort}/`;
  const answer = await request('/webhooks/endpoints', { as: token, json: { url } });
  expect(answer.status).toBe(201);
  const { endpoint } = (await answer.json()) as { endpoint: { id: string } };
  const remove = () =>
    request(`/webhooks/endpoints/${endpoint.id}`, { method: 'DELETE', as: token });
  return { name, id: endpoint.id, remove };
}

const oneTry = async (id: string) => (await sendTest(token, id)).tries;
const refused = { outcome: 'failed', status: null, error: 'http.outbound_refused' };

// Not in use anywhere: a connection to it fails.
const publicAddress = '3000::1';

test.each([
  [['127.0.0.1']],
  [['::1']],
  [['10.1.2.3']],
  [['169.254.169.254']],
  [['::ffff:127.0.0.1']],
  [['fd00::1']],
  // One among others is enough, wherever it stands.
  [[publicAddress, '127.0.0.1']],
  [[publicAddress, '::1']],
])('a name that leads to %j is not called', async (addresses) => {
  const before = await control('trap/connections');
  const { id, remove } = await endpointNamed([addresses]);
  expect(await oneTry(id)).toMatchObject([refused]);
  expect(await control('trap/connections')).toBe(before);
  await remove();
});

test('a name that changes between two tries, or between the look at it and the call, is not called', async () => {
  const before = await control('trap/connections');
  const { name, id, remove } = await endpointNamed([[publicAddress], ['127.0.0.1', '::1']]);
  const [first] = await oneTry(id);
  expect(first).toMatchObject({ outcome: 'failed', status: null });
  // It was called where it led, and not looked up again for that.
  expect(['http.upstream_unreachable', 'http.upstream_timeout', 'timeout']).toContain(first?.error);
  expect(await control('names/asked', { name })).toBe(1);
  expect(await control('trap/connections')).toBe(before);
  expect(await oneTry(id)).toMatchObject([refused]);
  expect(await control('names/asked', { name })).toBe(2);
  expect(await control('trap/connections')).toBe(before);
  await remove();
});

test.each([301, 302, 303, 307, 308])('a redirect (%i) is not followed', async (status) => {
  const before = await control('trap/connections');
  const { token: own } = await signUpInTenant();
  for (const target of [`http://127.0.0.1:${places.trapPort}/`, `${places.url}/elsewhere`]) {
    const path = newPath();
    const answers = [{ status, headers: { location: target } }];
    await control('hooks/answer', { path, answers });
    const { endpoint } = await createEndpoint(own, path);
    const { tries } = await sendTest(own, endpoint.id);
    expect(tries).toMatchObject([{ outcome: 'failed', status }]);
    expect(await received(path, 1)).toHaveLength(1);
  }
  expect(await received('/elsewhere', 0)).toEqual([]);
  expect(await control('trap/connections')).toBe(before);
});

test('the trap would have sprung', async () => {
  const before = await control('trap/connections');
  const socket = connect(places.trapPort, '127.0.0.1');
  await once(socket, 'close');
  expect(await control('trap/connections')).toBe(before + 1);
});

test('what is refused when it is sent is in the log without a word about our network', async () => {
  const { token: own } = await signUpInTenant();
  const name = `${crypto.randomUUID()}.hooks.example.com`;
  await control('names/set', { name, rounds: [['127.0.0.1']] });
  const url = `https://${name}:${places.trapPort}/`;
  const made = await request('/webhooks/endpoints', { as: own, json: { url } });
  const { endpoint } = (await made.json()) as { endpoint: { id: string } };
  await createProject(own);
  const delivery = await onlyDelivery(own, endpoint.id, 'failed');
  expect(delivery.tries).toHaveLength(5);
  expect(JSON.stringify(delivery.tries)).not.toMatch(/127\.0|ECONN|loopback/);
});
