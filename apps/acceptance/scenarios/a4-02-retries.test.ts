import { expect, test } from 'vitest';
import { waitFor } from '../gate/wait.ts';
import {
  control,
  expectJson,
  expectProblem,
  newAddress,
  request,
  tokenFromMail,
} from './client.ts';
import { asStaff, enqueueWork, jobOnce, type ListedJob, readJob } from './jobs.ts';

const idsIn = async (path: string) =>
  (await expectJson<{ items: ListedJob[] }>(asStaff(path))).items;

test('attempts that fail are followed by others, with waits between them, until one succeeds', async () => {
  const [id] = (await enqueueWork({ failures: 2 })) as [string];
  const { attempts, errors } = await jobOnce(id, 'done');
  expect(attempts).toBe(3);
  expect(errors.map(({ attempt, message }) => [attempt, message])).toEqual([
    [1, 'attempt 1 fails, as was asked'],
    [2, 'attempt 2 fails, as was asked'],
  ]);
});

test('after the last attempt it is a dead letter with every error, is not tried again, and can be replayed', async () => {
  const [id] = (await enqueueWork({ failures: 99 })) as [string];
  const dead = await jobOnce(id, 'dead');
  expect(dead.attempts).toBe(3);
  expect(dead.errors.map(({ attempt }) => attempt)).toEqual([1, 2, 3]);
  expect((await idsIn('?state=dead&task=acceptance.work')).map((job) => job.id)).toContain(id);
  // What comes after it has run; it has not.
  const [later] = (await enqueueWork({})) as [string];
  await jobOnce(later, 'done');
  expect(await readJob(id)).toEqual(dead);
  expect(await expectJson(asStaff('/dead/replay', { ids: [id] }))).toEqual({ count: 1 });
  const again = await waitFor('it to be dead again', 20_000, async () => {
    const job = await readJob(id);
    return job.state === 'dead' && job.errors.length === 6 ? job : undefined;
  });
  expect(again.attempts).toBe(3);
  expect(await expectJson(asStaff('/dead/purge', { ids: [id] }))).toEqual({ count: 1 });
  await expectProblem(await asStaff(`/${id}`), 404, 'jobs.not_found');
});

test('a mail that the mail server puts off is sent later, and its link works', async () => {
  const email = newAddress('later');
  await control('mail/refuse', { to: email, refuse: true });
  const json = { email, password: 'correct horse battery staple' };
  expect((await request('/auth/register', { json })).status).toBe(202);
  const waiting = await waitFor('an attempt to fail', 20_000, async () => {
    const jobs = await idsIn('?state=scheduled&task=auth.mail');
    return jobs.find(({ errors }) => errors.length > 0);
  });
  // No address stands in what staff see of it.
  expect(JSON.stringify(waiting)).not.toContain(email);
  await control('mail/refuse', { to: email, refuse: false });
  const retried = await asStaff(`/${waiting.id}/retry`, {});
  // Or it has run by itself since.
  expect([204, 409]).toContain(retried.status);
  const token = await tokenFromMail(email, '/auth/verify');
  expect((await request('/auth/verify', { json: { token } })).status).toBe(200);
});
