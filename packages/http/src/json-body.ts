import { MalformedBody } from './failures.ts';

// Deep enough for any real document; recursion over the value stays far from the end of the stack.
const deepestNesting = 64;

/**
 * Reads JSON strictly: UTF-8 only (RFC 8259, 8.1), nested at most 64 deep, without the key `__proto__`,
 * without NUL (PostgreSQL cannot store it) and without lone surrogates (no UTF-8 for them).
 *
 * @throws {MalformedBody}
 */
export function parseJsonBody(bytes: Uint8Array): unknown {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // The decoder's error tells nothing that may be sent.
    throw new MalformedBody({ detail: 'It is not UTF-8.' });
  }
  if (nestingOf(text) > deepestNesting) throw new MalformedBody({ detail: `It is nested more than ${deepestNesting} deep.` });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // The parser's error quotes the body.
    throw new MalformedBody({ detail: 'It is not JSON.' });
  }
  assertStorable(value);
  return value;
}

/** The deepest nesting of brackets outside strings. */
function nestingOf(text: string): number {
  let deepest = 0;
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const letter = text[index];
    if (inString) {
      if (letter === '\\') index += 1;
      else if (letter === '"') inString = false;
    } else if (letter === '"') inString = true;
    else if (letter === '[' || letter === '{') deepest = Math.max(deepest, (depth += 1));
    else if (letter === ']' || letter === '}') depth -= 1;
  }
  return deepest;
}

/** @throws {MalformedBody} for texts and keys that cannot be kept, or that mean something to JavaScript */
export function assertStorable(value: unknown): void {
  if (typeof value === 'string') {
    if (value.includes('\0') || !value.isWellFormed()) throw new MalformedBody({ detail: 'A text in it has a character that is not allowed.' });
  } else if (Array.isArray(value)) {
    for (const item of value) assertStorable(item);
  } else if (typeof value === 'object' && value !== null) {
    for (const [key, item] of Object.entries(value)) {
      if (key === '__proto__') throw new MalformedBody({ detail: 'It has a key that is not allowed.' });
      assertStorable(key);
      assertStorable(item);
    }
  }
}
