import { type Clock, isFailure, systemClock } from '@svc/core';
import { callEnded } from '../events.ts';
import { createDestinations, type Destination, type DestinationRules } from './destination.ts';
import { createExchanges, type Incoming, NotConnected, type Outgoing } from './exchange.ts';
import { OutboundRefused, UpstreamTimeout, UpstreamUnreachable } from './failures.ts';
import { nextRequest } from './redirects.ts';
import { readRequest, type Redirect } from './request-parts.ts';
import { createAddresses, dnsResolver, type Resolver, systemResolver } from './resolver.ts';
import { toResponse } from './response.ts';

/** What an outgoing request says of the one that it is made for. */
export interface OutboundContext {
  readonly requestId?: string | undefined;
  /** Headers that carry a trace: `traceparent`, `tracestate`, `baggage`. */
  readonly traceHeaders?: Readonly<Record<string, string>> | undefined;
  /** When it is of no use any more, in `elapsedMs` of the clock. */
  readonly deadlineAtMs?: number | undefined;
}

export interface GuardedFetchOptions extends DestinationRules {
  /** Resolves the names that are not in `allow`. @default dnsResolver() */
  resolver?: Resolver;
  /** Resolves the names that are. @default systemResolver */
  trustedResolver?: Resolver;
  /** How long checked addresses are used again, in milliseconds. @default 2000 */
  addressCacheMs?: number;
  /** How many redirects are followed, each after the same checks. @default 0 */
  maxRedirects?: number;
  /** The most bytes that are read of an answer, after unpacking. @default 1 MiB */
  maxResponseBytes?: number;
  /** Whether a longer answer is cut there instead of refused. @default false */
  cutResponse?: boolean;
  /** Milliseconds for a connection, with TLS, to each address. @default 5000 */
  connectTimeoutMs?: number;
  /** Milliseconds for each hop until the answer begins. @default 15000 */
  headersTimeoutMs?: number;
  /** Milliseconds for each hop until the answer ends. @default 30000 */
  timeoutMs?: number;
  /** How many connections one address may have; more requests wait for one. @default 64 */
  connectionsPerHost?: number;
  /** How long an idle connection is kept, in milliseconds. @default 10000 */
  idleTimeoutMs?: number;
  /** The certificate authorities that are believed, in PEM. @default those of the runtime */
  ca?: string | readonly string[];
  /** @default 'svc' */
  userAgent?: string;
  /** What events call it. @default 'fetch' */
  name?: string;
  /** The request that a call is made for. @default none */
  context?: () => OutboundContext | undefined;
  /** @default systemClock */
  clock?: Clock;
}

/** A `fetch` for addresses that others have chosen. */
export interface GuardedFetch {
  /**
   * As the global one, but the answer is read when it resolves, and it calls only what it may.
   *
   * @throws {OutboundRefused | UpstreamUnreachable | UpstreamTimeout | UpstreamTooLarge}
   * @throws {TypeError} on a method or a header that is not for callers to set.
   */
  fetch(input: string | URL | Request, init?: RequestInit): Promise<Response>;
  /** Refuses a URL that could never be called, before anybody keeps it. @throws {OutboundRefused} */
  checkUrl(url: string | URL): URL;
  /** Closes its connections. */
  stop(): void;
}

const defaultMaxBytes = 1_048_576;

/** Makes a `fetch` that reaches the public internet by https, and beside it exactly what `allow` names. @throws {TypeError} on an entry of `allow` that cannot be read. */
export function createGuardedFetch(options: GuardedFetchOptions = {}): GuardedFetch {
  const { clock = systemClock, maxRedirects = 0, userAgent = 'svc', context } = options;
  const { name = 'fetch' } = options;
  const readDestination = createDestinations(options);
  const addressesOf = createAddresses({
    resolver: options.resolver ?? dnsResolver(),
    trustedResolver: options.trustedResolver ?? systemResolver,
    clock,
    cacheMs: options.addressCacheMs ?? 2000,
  });
  const exchanges = createExchanges({
    clock,
    connectTimeoutMs: options.connectTimeoutMs ?? 5000,
    headersTimeoutMs: options.headersTimeoutMs ?? 15_000,
    timeoutMs: options.timeoutMs ?? 30_000,
    connectionsPerHost: options.connectionsPerHost ?? 64,
    idleTimeoutMs: options.idleTimeoutMs ?? 10_000,
    limit: {
      maxBytes: options.maxResponseBytes ?? defaultMaxBytes,
      cut: options.cutResponse ?? false,
    },
    ca: options.ca,
  });

  const send = async (destination: Destination, out: Outgoing): Promise<Incoming> => {
    const addresses = await withSignal(addressesOf(destination), out.signal);
    let last: unknown;
    for (const address of addresses) {
      try {
        return await exchanges.send(destination, address, out);
      } catch (error) {
        if (!(error instanceof NotConnected)) throw error;
        last = error;
      }
    }
    throw new UpstreamUnreachable({}, { cause: last });
  };

  const follow = async (first: string, given: Outgoing, redirect: Redirect) => {
    let destination = readDestination(first);
    let out = given;
    for (let hops = 0; ; hops += 1) {
      const answer = await send(destination, withHost(out, destination));
      const next = redirect === 'manual' ? undefined : nextRequest(destination.url, out, answer);
      if (next === undefined)
        return {
          response: toResponse(answer, destination.url, hops > 0),
          bytes: answer.body.byteLength,
        };
      if (redirect === 'error' || hops >= maxRedirects) throw new OutboundRefused('redirect');
      destination = readDestination(next.url);
      out = next.out;
    }
  };

  const observed = async (
    { method, url, told }: { method: string; url: string; told: OutboundContext | undefined },
    call: () => Promise<AnsweredCall>,
  ) => {
    const beganAtMs = clock.elapsedMs();
    const end = (of: { status: number | null; error: string | null; responseBytes: number }) => {
      const durationMs = clock.elapsedMs() - beganAtMs;
      callEnded.publish(name, { method, host: hostOf(url), ...of, durationMs, context: told });
    };
    try {
      const { response, bytes } = await call();
      end({ status: response.status, error: null, responseBytes: bytes });
      return response;
    } catch (error) {
      const called = isFailure(error)
        ? error.code
        : error instanceof Error
          ? error.name
          : 'unknown';
      end({ status: null, error: called, responseBytes: 0 });
      throw error;
    }
  };

  return {
    async fetch(input, init = {}) {
      const { url, redirect, ...request } = await readRequest(input, init);
      request.signal?.throwIfAborted();
      const told = context?.();
      const out = { ...request, headers: withContext(request.headers, told ?? {}, userAgent) };
      const deadlineAtMs = told?.deadlineAtMs;
      return observed({ method: request.method, url, told }, () =>
        deadlineAtMs === undefined
          ? follow(url, out, redirect)
          : beforeDeadline(deadlineAtMs - clock.elapsedMs(), out, clock, (limited) =>
              follow(url, limited, redirect),
            ),
      );
    },
    checkUrl: (url) => readDestination(url).url,
    stop: () => exchanges.close(),
  };
}

interface AnsweredCall {
  readonly response: Response;
  readonly bytes: number;
}

const hostOf = (url: string) => (URL.canParse(url) ? new URL(url).hostname : null);

const withHost = (out: Outgoing, { url }: Destination): Outgoing => ({
  ...out,
  headers: { ...out.headers, host: url.host },
});

/** What goes into a header must be of one line and of plain characters, whoever made it. */
const safeRequestId = /^[\w.-]{1,128}$/;

function withContext(
  headers: Readonly<Record<string, string>>,
  { requestId, traceHeaders }: OutboundContext,
  userAgent: string,
): Record<string, string> {
  const agent = headers['user-agent'] ?? userAgent;
  const known = requestId !== undefined && safeRequestId.test(requestId);
  return {
    ...traceHeaders,
    ...headers,
    'user-agent': known ? `${agent} (request ${requestId})` : agent,
    ...(known ? { 'x-request-id': requestId } : {}),
  };
}

async function beforeDeadline<T>(
  leftMs: number,
  out: Outgoing,
  clock: Clock,
  run: (out: Outgoing) => Promise<T>,
): Promise<T> {
  if (leftMs <= 0) throw new UpstreamTimeout();
  const over = new AbortController();
  const finished = new AbortController();
  void clock.sleep(leftMs, finished.signal).then(
    () => over.abort(new UpstreamTimeout()),
    // Aborted below, when it was in time.
    () => undefined,
  );
  const signals = out.signal === undefined ? [over.signal] : [over.signal, out.signal];
  try {
    return await run({ ...out, signal: AbortSignal.any(signals) });
  } finally {
    finished.abort('answered');
  }
}

function withSignal<T>(promise: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  if (signal.aborted) return Promise.reject(signal.reason);
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    signal.addEventListener('abort', abort, { once: true });
    const settled = () => signal.removeEventListener('abort', abort);
    promise.then(resolve, reject).finally(settled);
  });
}
