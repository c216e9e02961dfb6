import { type Clock, systemClock } from '@svc/core';
import type { Trx } from '@svc/db';
import { MalformedBody } from '@svc/http';
import { documentMiddleware } from '@svc/http/hono';
import type { Context, MiddlewareHandler } from 'hono';
import type { Execution } from '../context.ts';
import {
  BodyTooLarge,
  KeyInvalid,
  KeyMissing,
  KeyReused,
  NotReplayable,
  StillRunning,
  StoreUnavailable,
} from '../failures.ts';
import type { Idempotency } from '../idempotency.ts';
import { parseIdempotencyKey } from '../key.ts';
import { dropAnswer, replay, takeAnswer } from './take-answer.ts';

export interface IdempotencyEnv {
  Variables: {
    /** Of this execution alone; `undefined` for a request without a key. */
    idempotencyToken: string | undefined;
    /** The transaction of the key, where there is one: everything that is written belongs in it. */
    idempotencyTrx: Trx | undefined;
  };
}

export interface IdempotentOptions {
  /** Who sends the request, such as tenant and user; never empty, never the same for two. */
  caller: (c: Context) => string;
  /** Opens the transaction that is the handler's `c.get('idempotencyTrx')`: key, writes and answer commit together. An answer of 400 and above rolls it back. @default none */
  transact?: <T>(c: Context, fn: (trx: Trx) => Promise<T>) => Promise<T>;
  /** Whether a request without a key is refused. @default false */
  required?: boolean;
  /** @default POST, PUT, PATCH, DELETE */
  methods?: readonly string[];
  /** Whether an answer holds a secret; `markSensitive(c)` says so, too. @default none does */
  sensitive?: (c: Context) => boolean;
  /** Whether an answer whose handler says `Cache-Control: no-store` holds a secret. @default true */
  noStoreIsSensitive?: boolean;
  /** Names of headers that a repeat gets. @default those that describe the body and the resource */
  replayHeaders?: readonly string[];
  /** @default systemClock */
  clock?: Clock;
}

/** What the middleware answers with, for `operation({ failures: [...] })`. */
export const idempotencyFailures = [
  KeyMissing,
  KeyInvalid,
  KeyReused,
  StillRunning,
  NotReplayable,
  BodyTooLarge,
  StoreUnavailable,
] as const;

const describing =
  'content-type content-language content-disposition content-encoding content-location location etag last-modified link vary cache-control'.split(
    ' ',
  );

/**
 * Executes a request with an `Idempotency-Key` once and repeats its answer: status, listed headers and body, byte by
 * byte, with `Idempotency-Replayed: true`. A key belongs to caller, method and path; the query and the body are compared.
 * Behind the middleware that knows the caller. The body is read here: handlers read it through `c.req`, not `c.req.raw`.
 *
 * @throws {TypeError} when `Set-Cookie` is to be repeated: a session must not be.
 */
export function idempotent(
  idempotency: Idempotency,
  {
    caller,
    transact,
    required = false,
    methods = ['POST', 'PUT', 'PATCH', 'DELETE'],
    sensitive = () => false,
    noStoreIsSensitive = true,
    replayHeaders = describing,
    clock = systemClock,
  }: IdempotentOptions,
): MiddlewareHandler<IdempotencyEnv> {
  const headers = new Set(replayHeaders.map((name) => name.toLowerCase()));
  if (headers.has('set-cookie')) throw new TypeError('Set-Cookie is never repeated');
  const { keeps, maxBodyBytes } = idempotency;
  const isSensitive = (c: Context) => sensitive(c) || (noStoreIsSensitive && saysNoStore(c));
  const taking = {
    keeps,
    maxBodyBytes,
    headers,
    isSensitive,
    clock,
    isJoined: transact !== undefined,
  };

  const middleware: MiddlewareHandler<IdempotencyEnv> = async (c, next) => {
    // Listed twice for a route, the second would wait for the first.
    if (!methods.includes(c.req.method) || c.get('idempotencyToken') !== undefined) return next();
    const header = c.req.header('Idempotency-Key');
    if (header === undefined) {
      if (required) throw new KeyMissing();
      return next();
    }
    const key = parseIdempotencyKey(header);
    const fingerprint = idempotency.fingerprintOf({
      body: await readBody(c, maxBodyBytes),
      query: new URL(c.req.url).search,
      contentType: c.req.header('Content-Type'),
    });
    const scope = { caller: caller(c), method: c.req.method, route: c.req.path };
    let hasRun = false;
    const execute = async ({ token, within }: Execution) => {
      // A transaction that is tried again; Hono runs a handler once.
      if (hasRun) throw new StoreUnavailable({ retryAfterSeconds: 1 });
      hasRun = true;
      c.set('idempotencyToken', token);
      c.set('idempotencyTrx', within);
      await next();
      return takeAnswer(c, taking);
    };
    const signal = c.get('signal' as never) as AbortSignal | undefined;
    const options = {
      ...(transact === undefined
        ? {}
        : { transact: <T>(fn: (trx: Trx) => Promise<T>) => transact(c, fn) }),
      ...(signal === undefined ? {} : { signal }),
    };
    try {
      const { answer, replayed } = await idempotency.run(
        { scope, key, fingerprint },
        execute,
        options,
      );
      return replayed ? replay(c, answer) : undefined;
    } catch (error) {
      if (hasRun) dropAnswer(c);
      throw error;
    }
  };
  return documentMiddleware(middleware, {
    methods,
    requestHeaders: { 'Idempotency-Key': { ...keyHeader, required } },
    responseHeaders: { 'Idempotency-Replayed': replayedHeader },
    failures: idempotencyFailures,
  });
}

const keyHeader = {
  description: 'A text of your own, such as a UUID: repeats with it get the answer of the first.',
  schema: { type: 'string', minLength: 1, maxLength: 257 },
};
const replayedHeader = {
  description: '`true` where the answer is that of an earlier request.',
  schema: { type: 'string', const: 'true' },
};

const saysNoStore = (c: Context) =>
  /(^|,)\s*no-store\s*(,|$)/i.test(c.res.headers.get('cache-control') ?? '');

async function readBody(c: Context, maxBytes: number): Promise<Uint8Array> {
  const detail = `At most ${maxBytes} bytes are accepted.`;
  if (Number(c.req.header('Content-Length') ?? 0) > maxBytes) throw new BodyTooLarge({ detail });
  let body: Uint8Array;
  try {
    body = new Uint8Array(await c.req.arrayBuffer());
  } catch (error) {
    // The client left in the middle: no fault of ours, whatever the runtime calls it.
    if (c.req.raw.signal.aborted)
      throw new MalformedBody({ detail: 'The body ended early.' }, { cause: error });
    throw error;
  }
  if (body.byteLength > maxBytes) throw new BodyTooLarge({ detail });
  return body;
}
