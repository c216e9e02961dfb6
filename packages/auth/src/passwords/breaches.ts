import { createHash } from 'node:crypto';
import { type Clock, systemClock } from '@svc/core';

/** A list of passwords that are known to attackers. */
export interface BreachList {
  /**
   * Whether the password, in NFC, is on the list. Throws when it cannot tell; the message of that
   * error is logged, so it contains neither the password nor anything made from it.
   */
  isBreached(password: string): Promise<boolean>;
}

export interface HaveIBeenPwnedOptions {
  /** What fetches; `globalThis.fetch` or one that guards. */
  fetch: typeof globalThis.fetch;
  /** The folder of the ranges. @default https://api.pwnedpasswords.com/range/ */
  url?: string;
  /** How long an answer may take, in milliseconds. @default 1000 */
  timeoutMs?: number;
  /** @default systemClock */
  clock?: Clock;
}

// A padded answer has 800 to 1000 rows of about 40 bytes.
const maxBytes = 262_144;

/**
 * The Pwned Passwords range API (https://haveibeenpwned.com/API/v3#PwnedPasswords): it is told five of
 * the forty characters of a SHA-1, which about a thousand listed passwords share, and answers padded.
 *
 * @throws {TypeError} when an option is not usable.
 */
export function haveIBeenPwned({
  fetch,
  url = 'https://api.pwnedpasswords.com/range/',
  timeoutMs = 1000,
  clock = systemClock,
}: HaveIBeenPwnedOptions): BreachList {
  if (typeof fetch !== 'function') throw new TypeError('fetch must be a function');
  if (!/^https?:\/\/[^?#]+$/.test(url) || !URL.canParse(url))
    throw new TypeError('url must be an http(s) URL without query and fragment');
  const base = url.endsWith('/') ? url : `${url}/`;
  if (!(timeoutMs > 0)) throw new TypeError('timeoutMs must be more than nothing');
  const rangeOf = async (prefix: string, signal: AbortSignal) => {
    const ask = async () => {
      const headers = { 'Add-Padding': 'true', 'User-Agent': 'svc-auth' };
      const response = await fetch(base + prefix, { headers, redirect: 'error', signal });
      return { status: response.status, text: await readBounded(response) };
    };
    const { status, text } = await ask().catch((error: unknown) => {
      throw new Error(`The breach list could not be reached${codeOf(error)}.`);
    });
    if (status !== 200) throw new Error(`The breach list answered ${status}.`);
    if (text === undefined)
      throw new Error(`The breach list answered more than ${maxBytes} bytes.`);
    return text;
  };
  return {
    async isBreached(password) {
      // SHA-1 is what the list is keyed by.
      const digest = createHash('sha1').update(password.normalize('NFC'), 'utf8').digest('hex');
      const key = digest.toUpperCase();
      const over = new AbortController();
      try {
        const range = await Promise.race([
          rangeOf(key.slice(0, 5), over.signal),
          clock.sleep(timeoutMs, over.signal).then(() => {
            throw new Error(`The breach list took more than ${timeoutMs} ms.`);
          }),
        ]);
        return isInRange(range, key.slice(5));
      } finally {
        over.abort();
      }
    },
  };
}

/** Whether a row has this suffix and a count; rows with count 0 are padding. */
function isInRange(range: string, suffix: string): boolean {
  const rows = range.matchAll(/^([0-9A-F]{35}):(\d+)\r?$/gim);
  let isRange = false;
  for (const [, row, count] of rows) {
    isRange = true;
    if (row?.toUpperCase() === suffix && Number(count) > 0) return true;
  }
  // Every prefix has rows: a page without any was written by something in between.
  if (!isRange) throw new Error('The breach list answered something else than a range.');
  return false;
}

/** The body, or `undefined` when it is too long. */
async function readBounded(response: Response): Promise<string | undefined> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    bytes += chunk.length;
    if (bytes > maxBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

// Only the code: the message may have the URL.
function codeOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : undefined;
  const code = (cause as { code?: unknown } | undefined)?.code;
  return typeof code === 'string' && /^\w+$/.test(code) ? `: ${code}` : '';
}
