/**
 * The one JSON text of a value (RFC 8785): members sorted by UTF-16 code units, numbers and strings as
 * ECMAScript writes them, no white space.
 *
 * @throws {TypeError} on what JSON cannot say: NaN, infinities, lone surrogates, undefined, functions, big integers.
 */
export function canonicalJson(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return quoted(value);
    case 'boolean':
      return String(value);
    case 'number':
      if (!Number.isFinite(value)) throw new TypeError('NaN and infinities are no JSON');
      return JSON.stringify(value);
    case 'object':
      if (value === null) return 'null';
      if (Array.isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
      return canonicalObject(value as Readonly<Record<string, unknown>>);
    default:
      throw new TypeError(`a value of type ${typeof value} is no JSON`);
  }
}

function canonicalObject(object: Readonly<Record<string, unknown>>): string {
  // Without a comparison function, sort compares UTF-16 code units (RFC 8785, 3.2.3).
  const members = Object.keys(object)
    .toSorted()
    .map((name) => `${quoted(name)}:${canonicalJson(object[name])}`);
  return `{${members.join(',')}}`;
}

function quoted(text: string): string {
  if (!text.isWellFormed()) throw new TypeError('a text with a lone surrogate is no JSON');
  return JSON.stringify(text);
}
