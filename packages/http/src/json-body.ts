import { MalformedBody } from './failures.ts';

/** How deep objects and arrays may be nested in a body. */
export const maxJsonDepth = 64;

/** How many values a body may hold, about. */
const maxJsonValues = 50_000;

/**
 * Reads JSON (RFC 8259) from bytes.
 *
 * @throws {MalformedBody} when they are not UTF-8, not JSON, nested more than 64 levels deep, or hold more than 50000 values.
 */
export function parseJson(bytes: ArrayBuffer | Uint8Array): unknown {
  const text = decodeUtf8(bytes);
  // Before parsing: what is deep never becomes a value that recursive code could meet, and what is
  // many (a megabyte of `0,`) never becomes half a million values that a schema has to judge.
  assertBounded(text);
  try {
    return JSON.parse(text);
  } catch {
    // Not even as a cause: the parser's message quotes the body.
    throw new MalformedBody({ detail: 'The body is not valid JSON.' });
  }
}

/** Decodes UTF-8. @throws {MalformedBody} when it is not. */
export function decodeUtf8(bytes: ArrayBuffer | Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new MalformedBody({ detail: 'The body is not valid UTF-8.' });
  }
}

const comma = 0x2c;
const quote = 0x22;
const backslash = 0x5c;

/** @throws {MalformedBody} when it is nested too deeply or holds too many values. */
function assertBounded(json: string): void {
  let depth = 0;
  let values = 0;
  let inString = false;
  for (let i = 0; i < json.length; i++) {
    const char = json.charCodeAt(i);
    if (inString) {
      if (char === backslash) i++;
      else if (char === quote) inString = false;
    } else if (char === quote) inString = true;
    else if (char === comma) values++;
    // Setting bit 0x20 makes `[` into `{` and `]` into `}`.
    else if ((char | 0x20) === 0x7b) {
      values++;
      if (++depth > maxJsonDepth) {
        throw new MalformedBody({
          detail: `The JSON is nested deeper than ${maxJsonDepth} levels.`,
        });
      }
    } else if ((char | 0x20) === 0x7d) depth--;
  }
  if (values > maxJsonValues) {
    throw new MalformedBody({ detail: `The JSON holds more than ${maxJsonValues} values.` });
  }
}
