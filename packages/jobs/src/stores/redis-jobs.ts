import type { AwaitedCounts, AwaitedJob, Job, JobError, JobState } from '../job.ts';
import type { JobAttributes, LeasedJob, NewJob, Outcome } from '../store.ts';

/** The words of one job for the script that stores it. */
export function toWords(job: NewJob): (string | number | readonly string[])[] {
  const { after = [] } = job;
  const { uniqueKey = '', uniqueUntil = '', keepMs = '', onFailure = 'wait' } = job.attributes;
  const attributes = JSON.stringify(job.attributes);
  return [
    job.id,
    job.task,
    job.payload,
    job.priority,
    job.group ?? '',
    job.cost,
    job.maxAttempts,
    job.delayMs,
    job.runAt?.getTime() ?? '',
    attributes === '{}' ? '' : attributes,
    uniqueKey,
    uniqueUntil,
    keepMs,
    ...(after.length > 0 ? [after, onFailure] : []),
  ];
}

/** The five words of one outcome. */
export const toOutcomeWords = (outcome: Outcome): (string | number)[] => [
  outcome.lease,
  outcome.id,
  outcome.kind,
  'delayMs' in outcome ? outcome.delayMs : 'result' in outcome ? (outcome.result ?? '') : '',
  'error' in outcome ? outcome.error : '',
];

/** What a claim answers for one job. */
export type LeasedWords = [
  id: string,
  task: string,
  payload: string,
  priority: string,
  group: string,
  tries: number,
  most: string,
  since: string,
  errors: string | null,
  attributes: string | null,
];

export const toLeased = ([
  id,
  task,
  payload,
  priority,
  group,
  attempts,
  most,
  since,
  errors,
  attributes,
]: LeasedWords): LeasedJob => ({
  id,
  task,
  payload: JSON.parse(payload) as unknown,
  priority: Number(priority),
  group: group === '' ? null : group,
  attempts,
  maxAttempts: Number(most),
  enqueuedAt: new Date(Number(since)),
  errors: toErrors(errors),
  attributes: toAttributes(attributes),
});

/** A job's hash, names and values in turn; `undefined` where there is none. */
export function toJob(id: string, words: readonly string[]): Job | undefined {
  if (words.length === 0) return undefined;
  const field = (name: string) => {
    for (let i = 0; i < words.length; i += 2) if (words[i] === name) return words[i + 1];
    return undefined;
  };
  const at = (name: string) => {
    const ms = field(name);
    return ms === undefined ? null : new Date(Number(ms));
  };
  const parsed = (name: string): unknown => {
    const json = field(name);
    return json === undefined ? undefined : JSON.parse(json);
  };
  const attributes = toAttributes(field('attributes'));
  return {
    id,
    task: field('task') as string,
    state: field('state') as JobState,
    payload: parsed('payload'),
    priority: Number(field('priority')),
    group: field('group') ?? null,
    attempts: Number(field('tries')),
    maxAttempts: Number(field('most')),
    enqueuedAt: at('since') as Date,
    runAt: at('runAt'),
    finishedAt: at('ended'),
    errors: toErrors(field('errors')),
    progress: parsed('progress'),
    result: parsed('result'),
    tenantId: attributes.tenantId ?? null,
    traceparent: attributes.traceparent ?? null,
    uniqueKey: attributes.uniqueKey ?? null,
  };
}

/** What a job waits for, names and values in turn. */
export function toAwaited(words: readonly string[]): AwaitedJob[] {
  const fields = new Map<string, string>();
  for (let i = 0; i < words.length; i += 2) fields.set(words[i] as string, words[i + 1] as string);
  const after = JSON.parse(fields.get('after') ?? '[]') as string[];
  return after.map((id) => {
    const state = fields.get(id) as AwaitedJob['state'] | 'purged';
    const result = fields.get(`result:${id}`);
    return {
      id,
      state: state === 'purged' ? 'dead' : state,
      result: result === undefined ? undefined : (JSON.parse(result) as unknown),
    };
  });
}

export function toAwaitedCounts(words: readonly (string | null)[]): AwaitedCounts {
  const [open = 0, done = 0, dead = 0, purged = 0, cancelled = 0] = words.map(Number);
  return { open, done, dead: dead + purged, cancelled };
}

function toErrors(json: string | null | undefined): JobError[] {
  if (json === null || json === undefined) return [];
  const errors = JSON.parse(json) as { attempt: number; at: number; message: string }[];
  return errors.map(({ at, ...error }) => ({ ...error, at: new Date(at) }));
}

const toAttributes = (json: string | null | undefined): JobAttributes =>
  json === null || json === undefined ? {} : (JSON.parse(json) as JobAttributes);
