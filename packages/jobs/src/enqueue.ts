import { isUuid, toMs } from '@svc/core';
import * as v from 'valibot';
import { enqueued } from './events.ts';
import { JobNotFound, PayloadTooLarge } from './failures.ts';
import { requireFlows } from './flows.ts';
import {
  type BulkItem,
  type EnqueueOptions,
  type JobsInside,
  type JobsOptions,
  type Within,
} from './jobs.ts';
import type { Enqueued, JobAttributes, NewJob } from './store.ts';
import { type AnyTask, requireWhole } from './task.ts';

const dayMs = 86_400_000;

/** The two functions that store jobs. */
export function createEnqueue(
  inside: JobsInside,
  {
    name = 'jobs',
    weightOf,
    context,
    keepDone = '1d',
    maxPayloadBytes = 65_536,
  }: JobsOptions<readonly AnyTask[]>,
) {
  const { store, tasks, wakeUps, newId } = inside;
  const defaultKeepMs = keepDone === false ? 0 : toMs(keepDone);

  const find = (given: AnyTask | string): AnyTask => {
    const task = tasks.get(typeof given === 'string' ? given : given.name);
    if (task === undefined || (typeof given !== 'string' && given !== task))
      throw new TypeError('the task is none of those that createJobs was given');
    return task;
  };
  const costOf = (group: string | null): number => {
    if (group === null || weightOf === undefined) return 1000;
    const weight = weightOf(group);
    if (!(weight > 0)) throw new TypeError('a weight is more than 0');
    return Math.min(1_000_000, Math.max(1, Math.round(1000 / weight)));
  };
  const toAttributes = (task: AnyTask, options: EnqueueOptions): JobAttributes => {
    const around = context?.() ?? {};
    const { uniqueKey, timeout = task.timeout, onFailure } = options;
    const tenantId = options.tenantId ?? around.tenantId;
    const traceparent = options.traceparent ?? around.traceparent;
    const keep = task.keepDone;
    const keepMs = keep === undefined ? defaultKeepMs : keep === false ? 0 : toMs(keep);
    return {
      ...(keepMs > 0 && { keepMs }),
      ...(timeout !== undefined && { timeoutMs: toMs(timeout) }),
      ...(tenantId !== undefined && { tenantId: requireText(tenantId, 'a tenant') }),
      ...(traceparent !== undefined && { traceparent: requireText(traceparent, 'a traceparent') }),
      ...(uniqueKey !== undefined && {
        uniqueKey: requireText(uniqueKey, 'a unique key'),
        uniqueUntil: task.uniqueUntil ?? 'finished',
      }),
      ...(onFailure !== undefined && { onFailure }),
    };
  };
  const toNewJob = (task: AnyTask, payload: unknown, options: EnqueueOptions): NewJob => {
    const attributes = toAttributes(task, options);
    const group = options.group ?? attributes.tenantId ?? null;
    const priority = options.priority ?? task.priority ?? 5;
    const maxAttempts = options.maxAttempts ?? task.maxAttempts ?? 20;
    requireWhole(priority, 0, 9, 'priority');
    requireWhole(maxAttempts, 1, 1000, 'maxAttempts');
    if (group !== null) requireText(group, 'a group');
    const delayMs = options.delay === undefined ? 0 : toMs(options.delay);
    if (delayMs > 3660 * dayMs) throw new TypeError('a delay is at most ten years');
    const after = toAfter(options);
    if (after.length > 0) requireFlows(store);
    if (Number.isNaN(options.runAt?.getTime())) throw new TypeError('runAt is a date');
    return {
      id: newId(),
      task: task.name,
      payload: toJson(task, payload, maxPayloadBytes),
      priority,
      group,
      cost: costOf(group),
      maxAttempts,
      delayMs,
      runAt: options.runAt ?? null,
      attributes,
      ...(after.length > 0 && { after }),
    };
  };
  const add = async (
    task: AnyTask,
    jobs: readonly NewJob[],
    { within }: Within,
  ): Promise<readonly Enqueued[]> => {
    if (jobs.length === 0) return [];
    if (within !== undefined && !store.joins)
      throw new TypeError('this store cannot join a transaction');
    // Before the write: a transaction that could not wake anybody is refused with nothing in it.
    if (within !== undefined) wakeUps.wake(jobs.length, within);
    const stored = await store.enqueue(jobs, within);
    if (within === undefined) wakeUps.wake(jobs.length);
    const ids = stored.filter(({ isDuplicate }) => !isDuplicate).map(({ id }) => id);
    enqueued.publish(name, { task: task.name, ids, duplicates: stored.length - ids.length });
    return stored;
  };

  return {
    async enqueue(given: AnyTask | string, payload: unknown, options: EnqueueOptions = {}) {
      const task = find(given);
      const [stored] = await add(task, [toNewJob(task, payload, options)], options);
      return stored as Enqueued;
    },
    async enqueueMany(
      given: AnyTask | string,
      items: readonly BulkItem<unknown>[],
      options: Within = {},
    ) {
      const task = find(given);
      return add(
        task,
        items.map(({ payload, ...own }) => toNewJob(task, payload, own)),
        options,
      );
    },
  };
}

function toJson(task: AnyTask, payload: unknown, maxBytes: number): string {
  const { issues } = v.safeParse(task.payload, payload);
  // Where, never what: a payload may hold what nobody else may read.
  if (issues !== undefined)
    throw new TypeError(
      `the payload does not fit the task ${task.name}: ${issues.map((issue) => v.getDotPath(issue) ?? '.').join(', ')}`,
    );
  const json = JSON.stringify(payload ?? null);
  if (json === undefined) throw new TypeError('a payload is JSON');
  if (json.length > maxBytes || Buffer.byteLength(json) > maxBytes) throw new PayloadTooLarge();
  return json;
}

const mostAwaited = 10_000;

function toAfter({ after = [], onFailure = 'wait' }: EnqueueOptions): readonly string[] {
  if (!['wait', 'fail', 'run'].includes(onFailure))
    throw new TypeError('onFailure is wait, fail or run');
  if (after.length > mostAwaited)
    throw new TypeError(`a job comes after at most ${mostAwaited} others`);
  const missing = after.filter((id) => !isUuid(id));
  if (missing.length > 0) throw new JobNotFound({ missing });
  return [...new Set(after)];
}

function requireText(value: string, what: string): string {
  // Control characters cannot be stored, and half a surrogate pair would come back as another text.
  if (value === '' || value.length > 200 || /\p{Cc}/u.test(value) || !value.isWellFormed())
    throw new TypeError(`${what} has 1 to 200 characters, none of them a control character`);
  return value;
}
