import http, { type ClientRequest, type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Clock } from '@svc/core';
import { createDeadlines } from '../deadlines.ts';
import type { Destination } from './destination.ts';
import { UpstreamTimeout, UpstreamUnreachable } from './failures.ts';
import { type BodyLimit, readBody } from './response-body.ts';

/** One request, ready to be sent. */
export interface Outgoing {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array | string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** One answer, read to its end. */
export interface Incoming {
  readonly status: number;
  readonly statusText: string;
  /** Name and value in turn, as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: Uint8Array;
  /** Whether the body was unpacked, so that its headers no longer tell the truth. */
  readonly unpacked: boolean;
}

export interface ExchangesOptions {
  readonly clock: Clock;
  readonly connectTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly timeoutMs: number;
  readonly connectionsPerHost: number;
  readonly idleTimeoutMs: number;
  readonly limit: BodyLimit;
  readonly ca: string | readonly string[] | undefined;
}

/** The connection could not be made; nothing was sent, so another address may be tried. */
export class NotConnected extends Error {}

/**
 * Sends requests with `node:http` and `node:https`, which do the same on Node and Bun. The host given to them is
 * always an address, never a name: nobody looks up again what was checked, and connections are pooled by
 * address (and by name for TLS), so that one made for a name is not used when the name has moved on.
 */
export function createExchanges(options: ExchangesOptions) {
  const { clock, connectTimeoutMs, headersTimeoutMs, timeoutMs } = options;
  const pool = {
    keepAlive: true,
    maxSockets: options.connectionsPerHost,
    maxFreeSockets: options.connectionsPerHost,
    timeout: options.idleTimeoutMs,
    scheduling: 'lifo',
  } as const;
  const ca = options.ca === undefined ? {} : { ca: [options.ca].flat() };
  const agents = { http: new http.Agent(pool), https: new https.Agent({ ...pool, ...ca }) };
  const connects = createDeadlines(clock, connectTimeoutMs);
  const headers = createDeadlines(clock, headersTimeoutMs);
  const wholes = createDeadlines(clock, timeoutMs);

  const open = ({ url, hostname, port, secure }: Destination, host: string, out: Outgoing) => {
    const common = {
      host,
      port,
      method: out.method,
      path: `${url.pathname}${url.search}`,
      headers: out.headers,
      setHost: false,
    };
    return secure
      ? https.request({
          ...common,
          ...ca,
          agent: agents.https,
          servername: hostname === host ? '' : hostname,
        })
      : http.request({ ...common, agent: agents.http });
  };

  const send = (destination: Destination, address: string, out: Outgoing): Promise<Incoming> =>
    new Promise((resolve, reject) => {
      // An abort of before is not heard by a listener.
      if (out.signal?.aborted === true) return reject(out.signal.reason);
      const cancels: (() => void)[] = [];
      const request = open(destination, address, out);
      let connected = false;
      let settled = false;
      const settle = (act: () => void) => {
        settled = true;
        for (const cancel of cancels) cancel();
        act();
      };
      const fail = (error: unknown) => {
        if (settled) return;
        settle(() => reject(error));
        request.destroy();
      };
      const late = () => fail(new UpstreamTimeout());
      const cancelConnect = connects.start(() => fail(new NotConnected('too slow to connect')));
      const cancelHeaders = headers.start(late);
      cancels.push(cancelConnect, cancelHeaders, wholes.start(late));
      if (out.signal !== undefined) cancels.push(onAbort(out.signal, fail));

      onceConnected(request, () => {
        connected = true;
        cancelConnect();
      });
      request.on('error', (error) =>
        fail(connected ? new UpstreamUnreachable({}, { cause: error }) : notConnected(error)),
      );
      // An upgrade that nobody asked for, and an end without an answer, raise no error on every runtime.
      request.once('upgrade', () => fail(new UpstreamUnreachable()));
      const unanswered = () => fail(new UpstreamUnreachable());
      request.once('close', unanswered);
      request.once('response', (response: IncomingMessage) => {
        connected = true;
        cancelConnect();
        cancelHeaders();
        request.off('close', unanswered);
        readBody(response, out.method, options.limit).then(
          (read) =>
            settle(() =>
              resolve({
                status: response.statusCode ?? 0,
                statusText: response.statusMessage ?? '',
                rawHeaders: response.rawHeaders,
                ...read,
              }),
            ),
          fail,
        );
      });
      request.end(out.body);
    });

  return {
    send,
    close() {
      agents.http.destroy();
      agents.https.destroy();
    },
  };
}

function onceConnected(request: ClientRequest, connected: () => void): void {
  request.once('socket', (socket) => {
    if (!socket.connecting && request.reusedSocket) return connected();
    socket.once('encrypted' in socket ? 'secureConnect' : 'connect', connected);
  });
}

function onAbort(signal: AbortSignal, fail: (reason: unknown) => void): () => void {
  const abort = () => fail(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  return () => signal.removeEventListener('abort', abort);
}

const notConnected = (cause: Error) => new NotConnected('no connection', { cause });
