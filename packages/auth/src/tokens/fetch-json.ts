import type { Clock } from '@svc/core';

/** The part of `fetch` that is used; the global one fits, and so does a guarded one. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

const timeoutMs = 5_000;
const maxBytes = 256 * 1024;

/** The JSON at an address, at most 256 KiB, within 5 seconds, without redirects. Throws a plain error that says why not. */
export async function fetchJson(url: string, fetch: Fetch, clock: Clock): Promise<unknown> {
  const aborted = new AbortController();
  const finished = new AbortController();
  const late = clock.sleep(timeoutMs, finished.signal).then(
    () => {
      const error = new Error(`no answer within ${timeoutMs} ms`);
      aborted.abort(error);
      throw error;
    },
    () => new Promise<never>(() => {}),
  );
  try {
    // Not the signal alone: a fetch that ignores it must not keep everybody waiting.
    return await Promise.race([request(url, fetch, aborted.signal), late]);
  } finally {
    finished.abort();
    aborted.abort();
  }
}

async function request(url: string, fetch: Fetch, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, {
    headers: { Accept: 'application/json, application/jwk-set+json' },
    redirect: 'error',
    signal,
  });
  if (response.status !== 200) throw new Error(`answered status ${response.status}`);
  return JSON.parse(await textOf(response));
}

async function textOf(response: Response): Promise<string> {
  const reader = response.body?.getReader();
  if (reader === undefined) return '';
  const chunks: Uint8Array[] = [];
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new TextDecoder().decode(Buffer.concat(chunks));
    size += value.byteLength;
    if (size > maxBytes) throw new Error(`answered more than ${maxBytes} bytes`);
    chunks.push(value);
  }
}
