import type { Context } from 'hono';
import { unknownAddress } from '../client-address.ts';

/** What `serve` of `@svc/http/node` and `@svc/http/bun` hand to `fetch` beside the request. */
interface ConnectionEnv {
  readonly incoming?: { readonly socket?: { readonly remoteAddress?: string } };
  readonly remoteAddress?: () => string | undefined;
}

/** The address at the other end of the socket, on either server; `0.0.0.0` where there is none, as in `app.request`. */
export function remoteAddress(c: Context): string {
  const env = c.env as ConnectionEnv | undefined;
  return env?.remoteAddress?.() ?? env?.incoming?.socket?.remoteAddress ?? unknownAddress;
}
