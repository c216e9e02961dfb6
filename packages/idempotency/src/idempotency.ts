import {
  type Clock,
  type Duration,
  type Logger,
  type NewId,
  silentLogger,
  systemClock,
  toMs,
  uuidv7,
} from '@svc/core';
import { isKept, type Keep, type Withheld } from './answer.ts';
import { attempt, type Attempted } from './attempt.ts';
import type {
  Execute,
  IdempotencyContext,
  IdempotentRequest,
  RunOptions,
  RunResult,
} from './context.ts';
import { refused, replayed } from './events.ts';
import { KeyReused, KeyReusedUnprocessable, NotReplayable, StillRunning } from './failures.ts';
import { type Content, type FingerprintBy, fingerprintOf } from './fingerprint.ts';
import { assertKey, identify } from './key.ts';
import type { Claim, IdempotencyStore } from './store.ts';

/** Executes each request once, and gives its answer to every repeat. */
export interface Idempotency {
  /** The most bytes of a request's body, and of an answer that is kept. */
  readonly maxBodyBytes: number;
  /**
   * Executes the request, or gives the answer that it had. Of any number at once one is executed. With a transaction,
   * what is written in it is written exactly once, whatever happens; without one, again after a crash in the middle.
   *
   * @throws {KeyInvalid} @throws {KeyReused} @throws {StillRunning} @throws {NotReplayable}
   * @throws {TypeError} with a transaction, when the store cannot join one.
   */
  run(request: IdempotentRequest, execute: Execute, options?: RunOptions): Promise<RunResult>;
  /** A hash of what a request says, by this instance's option. */
  fingerprintOf(content: Content): string;
  /** Whether answers of this status are kept. */
  keeps(status: number): boolean;
  /** Removes keys that are past their time; gives how many. To be called now and then, such as every hour. */
  purge(): Promise<number>;
}

export interface IdempotencyOptions {
  store: IdempotencyStore;
  /** How long a crashed execution keeps its key, from 100ms to 30s; one that lives renews it. @default 30s */
  lease?: Duration;
  /** How long a repeat waits for the first to end. @default 10s */
  wait?: Duration;
  /** How long a key is remembered, from its first request. @default 24h */
  ttl?: Duration;
  /** @default 1 MiB */
  maxBodyBytes?: number;
  /** Whether a repeat waits for the first to end, or is refused at once. @default 'wait' */
  whileRunning?: 'wait' | 'refuse';
  /** The kind of `KeyReused`: 409, or 422 as the IETF draft has it. @default 'conflict' */
  onMismatch?: 'conflict' | 'unprocessable';
  /** Which answers are kept: 2xx, or all but 5xx (and 408, 425, 429, which ask to be tried again). @default 'success' */
  keep?: Keep;
  /** Whether bodies are compared by their bytes, or JSON by what it means. @default 'bytes' */
  fingerprint?: FingerprintBy;
  /** @default systemClock */
  clock?: Clock;
  /** Makes fencing tokens. @default uuidv7 */
  newId?: NewId;
  /** @default silentLogger */
  logger?: Logger;
  /** What events call this instance. @default 'idempotency' */
  name?: string;
}

/** @throws {TypeError} when an option is not usable. */
export function createIdempotency({
  store,
  lease = '30s',
  wait = '10s',
  ttl = '24h',
  maxBodyBytes = 1_048_576,
  whileRunning = 'wait',
  onMismatch = 'conflict',
  keep = 'success',
  fingerprint = 'bytes',
  clock = systemClock,
  newId = uuidv7,
  logger = silentLogger,
  name = 'idempotency',
}: IdempotencyOptions): Idempotency {
  const [leaseMs, ttlMs] = [Math.round(toMs(lease)), Math.round(toMs(ttl))];
  if (leaseMs < 100 || leaseMs > 30_000) throw new TypeError('lease is from 100ms to 30s');
  if (ttlMs < leaseMs) throw new TypeError('ttl is at least the lease');
  if (!Number.isInteger(maxBodyBytes) || maxBodyBytes < 0)
    throw new TypeError('maxBodyBytes is a whole number of bytes');
  const waitMs = whileRunning === 'wait' ? toMs(wait) : 0;
  const context: IdempotencyContext = {
    name,
    store,
    leaseMs,
    waitMs,
    ttlMs,
    maxBodyBytes,
    onMismatch,
    keep,
    clock,
    newId,
    logger,
  };
  return {
    maxBodyBytes,
    run: (request, execute, options = {}) => run(context, request, execute, options),
    fingerprintOf: (content) => fingerprintOf(fingerprint, content),
    keeps: (status) => isKept(keep, status),
    purge: () => store.purge(),
  };
}

async function run(
  context: IdempotencyContext,
  { scope, key, fingerprint }: IdempotentRequest,
  execute: Execute,
  options: RunOptions,
): Promise<RunResult> {
  const { store, waitMs, clock, leaseMs, ttlMs } = context;
  if (!store.joins && (options.within ?? options.transact) !== undefined)
    throw new TypeError('this store cannot join a transaction');
  const id = identify(scope, assertKey(key));
  const claim: Claim = { id, fingerprint, token: context.newId(), leaseMs, ttlMs };
  const startedAtMs = clock.elapsedMs();
  for (let polls = 0; ; polls += 1) {
    const attempted = await attempt(context, claim, execute, options);
    if (attempted.state === 'executed') return { answer: attempted.answer, replayed: false };
    const waitedMs = clock.elapsedMs() - startedAtMs;
    if (isEnd(attempted, fingerprint) || waitedMs >= waitMs)
      return repeated(context, attempted, fingerprint, waitedMs);
    await clock.sleep(Math.min(pollMs(polls), waitMs - waitedMs), options.signal);
  }
}

type Found = Exclude<Attempted, { state: 'executed' }>;

const isEnd = (found: Found, fingerprint: string) =>
  found.state === 'finished' ||
  (found.fingerprint !== undefined && found.fingerprint !== fingerprint);

/** 10 ms, then half as long again each time, at most 200 ms. */
const pollMs = (polls: number) => Math.min(200, 10 * 1.5 ** polls);

/** What a repeat gets. @throws {KeyReused} @throws {StillRunning} @throws {NotReplayable} */
function repeated(
  { name, onMismatch }: IdempotencyContext,
  found: Found,
  fingerprint: string,
  waitedMs: number,
): RunResult {
  const failure = refusalOf(found, fingerprint, onMismatch);
  if (failure !== undefined) {
    refused.publish(name, { code: failure.code });
    throw failure;
  }
  const { result } = found as Extract<Found, { state: 'finished' }>;
  if (typeof result === 'string') throw new TypeError('a withheld answer was to be given');
  replayed.publish(name, { status: result.status, waitedMs });
  return { answer: result, replayed: true };
}

function refusalOf(
  found: Found,
  fingerprint: string,
  onMismatch: IdempotencyContext['onMismatch'],
) {
  if (found.fingerprint !== undefined && found.fingerprint !== fingerprint)
    return onMismatch === 'conflict' ? new KeyReused() : new KeyReusedUnprocessable();
  if (found.state === 'running')
    return new StillRunning({
      retryAfterSeconds: Math.max(1, Math.ceil(found.leaseLeftMs / 1000)),
    });
  const { result } = found;
  if (typeof result !== 'string') return undefined;
  return new NotReplayable({ reason: result, detail: reasons[result] });
}

const reasons: Readonly<Record<Withheld, string>> = {
  sensitive: 'The answer held a secret, which is shown once and never stored.',
  streamed: 'The answer was a stream, which is not stored.',
  too_large: 'The answer was too large to be stored.',
  late: 'The answer came after the time limit of the request, and was not stored.',
};
