import { expect, test } from 'vitest';
import { expectJson, expectProblem, request, signUpInTenant } from './client.ts';
import {
  allDone,
  asStaff,
  enqueueWork,
  exportOnceReady,
  jobOnce,
  type ListedJob,
  requestExport,
} from './jobs.ts';

const createProject = (as: string, name: string) =>
  expectJson<{ id: string }>(request('/projects', { as, json: { name } }), 201);
const jobsOf = async (tenantId: string) =>
  (
    await expectJson<{ items: ListedJob[] }>(
      asStaff(`?state=done&task=projects.export&group=${tenantId}`),
    )
  ).items;

test('an export is asked for in one transaction with its job, which finds it at the first attempt', async () => {
  const { token, tenantId } = await signUpInTenant();
  const names = ['Apollo', 'Gemini', 'Mercury'];
  for (const name of names) await createProject(token, name);
  const { id, state } = await requestExport(token);
  expect(state).toBe('pending');
  expect(await exportOnceReady(token, id)).toMatchObject({ state: 'ready', projectCount: 3 });
  const download = await request(`/projects/exports/${id}/download`, { as: token });
  expect(download.headers.get('content-type')).toBe('application/x-ndjson');
  const lines = (await download.text()).trimEnd().split('\n');
  const found = lines.map((line) => (JSON.parse(line) as { name: string }).name);
  expect(found).toEqual(names.toReversed());
  expect(await jobsOf(tenantId)).toMatchObject([{ attempts: 1, errors: [] }]);
});

test('with a key for repeats one export is asked for, by one job', async () => {
  const { token, tenantId } = await signUpInTenant();
  const key = { 'idempotency-key': crypto.randomUUID() };
  const answers = await Promise.all(Array.from({ length: 8 }, () => requestExport(token, key)));
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
  await exportOnceReady(token, answers[0]?.id as string);
  expect(await jobsOf(tenantId)).toHaveLength(1);
});

test('jobs of a transaction that is rolled back never were, those of one that commits run', async () => {
  const never = await enqueueWork({ jobCount: 20, rollBack: true });
  const first = await enqueueWork({});
  await allDone(first);
  const after = await enqueueWork({ jobCount: 20 });
  await allDone(after);
  expect(never).toHaveLength(20);
  for (const id of never) await expectProblem(await asStaff(`/${id}`), 404, 'jobs.not_found');
});

test('an export is of one tenant, and jobs are for staff', async () => {
  const [own, other] = [await signUpInTenant(), await signUpInTenant()];
  await createProject(own.token, 'Apollo');
  const { id } = await requestExport(own.token);
  await exportOnceReady(own.token, id);
  for (const path of [`/projects/exports/${id}`, `/projects/exports/${id}/download`]) {
    const answer = await request(path, { as: other.token });
    await expectProblem(answer, 404, 'projects.export_not_found');
  }
  const [job] = await jobsOf(own.tenantId);
  const path = `/admin/jobs/${job?.id}`;
  await expectProblem(await request(path, { as: own.token }), 403, 'auth.access_denied');
  await expectProblem(await request(path), 401);
  expect(await (await asStaff(`/${job?.id}`)).text()).not.toContain(id);
  await jobOnce(job?.id as string, 'done');
});
