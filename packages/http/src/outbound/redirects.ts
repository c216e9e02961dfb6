import type { Incoming, Outgoing } from './exchange.ts';
import { UpstreamUnreachable } from './failures.ts';

const redirects = new Set([301, 302, 303, 307, 308]);
const credentials = ['authorization', 'cookie', 'x-api-key'];
const bodyHeaders = ['content-type', 'content-encoding', 'content-language', 'content-location'];

/** What a redirect asks for, after the Fetch Standard ("HTTP-redirect fetch"); `undefined` where there is none. */
export function nextRequest(
  from: URL,
  out: Outgoing,
  answer: Incoming,
): { url: URL; out: Outgoing } | undefined {
  if (!redirects.has(answer.status)) return undefined;
  const at = answer.rawHeaders.findIndex(
    (name, index) => index % 2 === 0 && name.toLowerCase() === 'location',
  );
  if (at < 0) return undefined;
  const url = URL.parse(answer.rawHeaders[at + 1] ?? '', from.href);
  if (url === null) throw new UpstreamUnreachable();
  const { status } = answer;
  const becomesGet =
    (status === 303 && out.method !== 'HEAD') || (status < 303 && out.method === 'POST');
  const dropped = [
    ...(url.origin === from.origin ? [] : credentials),
    ...(becomesGet ? bodyHeaders : []),
  ];
  const headers = Object.fromEntries(
    Object.entries(out.headers).filter(([name]) => !dropped.includes(name)),
  );
  const changed = becomesGet ? { method: 'GET', body: undefined } : {};
  return { url, out: { ...out, headers, ...changed } };
}
