import type { Incoming } from './exchange.ts';
import { UpstreamUnreachable } from './failures.ts';

const withoutBody = new Set([204, 205, 304]);

/** An answer as `fetch` gives it. */
export function toResponse(answer: Incoming, url: URL, redirected: boolean): Response {
  const { status, statusText, body } = answer;
  const headers = toHeaders(answer);
  // What no Response can hold is no answer: a status from 600 on, letters that no header has.
  if (headers === undefined || status < 200 || status > 599) throw new UpstreamUnreachable();
  const sent = withoutBody.has(status) ? null : (body as Uint8Array<ArrayBuffer>);
  const response = new Response(sent, { status, headers });
  return Object.defineProperties(response, {
    url: { value: url.href },
    redirected: { value: redirected },
    statusText: { value: statusText },
  });
}

function toHeaders({ rawHeaders, unpacked }: Incoming): Headers | undefined {
  const headers = new Headers();
  try {
    for (let i = 0; i + 1 < rawHeaders.length; i += 2)
      headers.append(rawHeaders[i] as string, rawHeaders[i + 1] as string);
  } catch {
    return undefined;
  }
  if (!unpacked) return headers;
  headers.delete('content-encoding');
  headers.delete('content-length');
  return headers;
}
