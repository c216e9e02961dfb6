import { expect, test } from 'vitest';
import { expectProblem, request, signUpInTenant } from './client.ts';

interface Project {
  id: string;
  name: string;
  version: number;
}

async function newProject() {
  const { token } = await signUpInTenant();
  const created = await request('/projects', { as: token, json: { name: 'first' } });
  expect(created.status).toBe(201);
  const project = (await created.json()) as Project;
  const change = (json: object, headers: Record<string, string> = {}) =>
    request(`/projects/${project.id}`, { method: 'PATCH', as: token, json, headers });
  return { token, project, change, etag: created.headers.get('etag') as string };
}

test('a change of the current version succeeds, and raises the version and the ETag', async () => {
  const { project, change, etag } = await newProject();
  const changed = await change({ name: 'second' }, { 'if-match': etag });
  expect(changed.status).toBe(200);
  expect(await changed.json()).toMatchObject({ name: 'second', version: project.version + 1 });
  expect(changed.headers.get('etag')).not.toBe(etag);
});

test('a stale If-Match is answered with 412, and changes nothing', async () => {
  const { token, project, change, etag } = await newProject();
  expect((await change({ name: 'second' }, { 'if-match': etag })).status).toBe(200);
  await expectProblem(await change({ name: 'third' }, { 'if-match': etag }), 412);
  const now = await request(`/projects/${project.id}`, { as: token });
  expect(await now.json()).toMatchObject({ name: 'second', version: 2 });
});

test.each(['W/"1"', '"abc"', '1', '""', '"1" junk', '"99999999999"'])(
  'If-Match: %s names no version, and is answered with 412',
  async (ifMatch) => {
    const { change } = await newProject();
    await expectProblem(await change({ name: 'second' }, { 'if-match': ifMatch }), 412);
  },
);

test('a stale version in the body is answered with 409, and changes nothing', async () => {
  const { token, project, change } = await newProject();
  expect((await change({ name: 'second', version: 1 })).status).toBe(200);
  await expectProblem(await change({ name: 'third', version: 1 }), 409);
  expect(await (await request(`/projects/${project.id}`, { as: token })).json()).toMatchObject({
    name: 'second',
    version: 2,
  });
});

test('a change that names no version is answered with 428', async () => {
  const { change } = await newProject();
  await expectProblem(await change({ name: 'second' }), 428);
});

test('of 20 changes of one version at once exactly one succeeds', async () => {
  const { change, etag } = await newProject();
  const answers = await Promise.all(
    Array.from({ length: 20 }, (_, i) => change({ name: `try ${i}` }, { 'if-match': etag })),
  );
  expect(answers.map((answer) => answer.status).toSorted()).toEqual([
    200,
    ...Array.from({ length: 19 }, () => 412),
  ]);
});

test("another person's project does not exist", async () => {
  const { project } = await newProject();
  const stranger = await signUpInTenant();
  for (const method of ['GET', 'DELETE'])
    await expectProblem(
      await request(`/projects/${project.id}`, { method, as: stranger.token }),
      404,
    );
  const list = await request('/projects', { as: stranger.token });
  expect(await list.json()).toEqual({ items: [], nextCursor: null });
});

test('a deleted project is gone, and lists are paged', async () => {
  const { token } = await signUpInTenant();
  const ids: string[] = [];
  for (const name of ['a', 'b', 'c'])
    ids.unshift(
      ((await (await request('/projects', { as: token, json: { name } })).json()) as Project).id,
    );
  const page = async (query: string) =>
    (await (await request(`/projects?${query}`, { as: token })).json()) as {
      items: Project[];
      nextCursor: string | null;
    };
  const first = await page('limit=2');
  const second = await page(`limit=2&cursor=${first.nextCursor}`);
  expect([...first.items, ...second.items].map(({ id }) => id)).toEqual(ids);
  expect(second.nextCursor).toBeNull();
  expect((await request(`/projects/${ids[0]}`, { method: 'DELETE', as: token })).status).toBe(204);
  await expectProblem(await request(`/projects/${ids[0]}`, { as: token }), 404);
});
