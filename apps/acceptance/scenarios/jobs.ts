import { waitFor } from '../gate/wait.ts';
import { control, expectJson, request } from './client.ts';

/** A job, as the gate's own routes show it. */
export interface SeenJob {
  readonly id: string;
  readonly task: string;
  readonly state: string;
  readonly attempts: number;
  readonly payload: { readonly key?: string; readonly tickAt?: string };
  readonly result?: { readonly attempt: number };
}

/** A job, as staff see it. */
export interface ListedJob {
  readonly id: string;
  readonly state: string;
  readonly attempts: number;
  readonly finishedAt: string | null;
  readonly errors: readonly { readonly attempt: number; readonly at: string; message: string }[];
}

interface Work {
  key?: string;
  ms?: number;
  failures?: number;
  rollBack?: boolean;
  jobCount?: number;
}

/** Queues jobs of the gate in one transaction; answers their ids, also of those that were rolled back. */
export const enqueueWork = async (json: Work) =>
  (await expectJson<{ ids: string[] }>(request('/_acceptance/jobs', { json }))).ids;

/** The newest 1000 jobs of a task of the gate in this state. */
export const seenJobs = async (state: string, task = 'acceptance.work') =>
  (await expectJson<{ items: SeenJob[] }>(request(`/_acceptance/jobs?task=${task}&state=${state}`)))
    .items;

const staff = async () => (await control('administrator')).token;

/** A request of staff below `/admin/jobs`. */
export const asStaff = async (path: string, json?: object) =>
  request(`/admin/jobs${path}`, { as: await staff(), ...(json !== undefined && { json }) });

export const readJob = async (id: string) => expectJson<ListedJob>(asStaff(`/${id}`));

/** The job, once it is in this state. */
export const jobOnce = (id: string, state: string, timeoutMs = 20_000): Promise<ListedJob> =>
  waitFor(`job ${id} to be ${state}`, timeoutMs, async () => {
    const job = await readJob(id);
    return job.state === state ? job : undefined;
  });

/** These jobs, once all of them are done. */
export const allDone = (ids: readonly string[], timeoutMs = 20_000): Promise<SeenJob[]> =>
  waitFor(`${ids.length} jobs to be done`, timeoutMs, async () => {
    const done = (await seenJobs('done')).filter(({ id }) => ids.includes(id));
    return done.length === ids.length ? done : undefined;
  });

export interface Export {
  readonly id: string;
  readonly state: 'pending' | 'ready' | 'failed';
  readonly projectCount: number | null;
}

export const requestExport = (as: string, headers: Record<string, string> = {}) =>
  expectJson<Export>(request('/projects/exports', { method: 'POST', as, headers }), 202);

export const exportOnceReady = (as: string, id: string, timeoutMs = 20_000): Promise<Export> =>
  waitFor('the export to be ready', timeoutMs, async () => {
    const found = await expectJson<Export>(request(`/projects/exports/${id}`, { as }));
    return found.state === 'pending' ? undefined : found;
  });
