import type { Outgoing } from './exchange.ts';
import { acceptedEncodings } from './response-body.ts';

// What frames or routes a message is written by this client alone: a header that contradicts it smuggles a request.
const ownHeaders = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'http2-settings',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

const standardMethods = /^(?:get|head|post|put|patch|delete|options)$/i;

export type Redirect = NonNullable<RequestInit['redirect']>;

/** What `fetch` was given, as one request. @throws {TypeError} on a method or header that must not be set. */
export async function readRequest(
  input: string | URL | Request,
  init: RequestInit,
): Promise<Outgoing & { url: string; redirect: Redirect }> {
  const request = input instanceof Request ? input : undefined;
  const url = request?.url ?? String(input);
  const method = init.method ?? request?.method ?? 'GET';
  if (!standardMethods.test(method)) throw new TypeError('this method is not sent');
  const headers = readHeaders(init.headers ?? request?.headers);
  const body = await readBody(init.body ?? (init.body === null ? null : request?.body), headers);
  if (body !== undefined && /^(?:get|head)$/i.test(method))
    throw new TypeError('GET and HEAD have no body');
  return {
    url,
    method: method.toUpperCase(),
    headers,
    body,
    signal: init.signal ?? request?.signal,
    redirect: init.redirect ?? request?.redirect ?? 'follow',
  };
}

function readHeaders(given: RequestInit['headers']): Record<string, string> {
  const headers: Record<string, string> = {};
  for (const [name, value] of new Headers(given)) {
    if (ownHeaders.has(name)) throw new TypeError(`the header ${name} is not for callers to set`);
    headers[name] = value;
  }
  headers['accept'] ??= '*/*';
  headers['accept-encoding'] ??= acceptedEncodings;
  return headers;
}

async function readBody(
  given: RequestInit['body'],
  headers: Record<string, string>,
): Promise<Uint8Array | string | undefined> {
  if (given === undefined || given === null) return undefined;
  if (typeof given === 'string') {
    headers['content-type'] ??= 'text/plain;charset=UTF-8';
    return given;
  }
  if (given instanceof Uint8Array) return given;
  // Forms, blobs and streams: the runtime knows their bytes and their type.
  const body = new Response(given);
  const type = body.headers.get('content-type');
  if (type !== null) headers['content-type'] ??= type;
  return new Uint8Array(await body.arrayBuffer());
}
