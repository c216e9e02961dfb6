/**
 * The one JSON text of a value (RFC 8785): members sorted by UTF-16 code units, numbers and strings as
 * ECMAScript writes them, no white space.
 *
 * @throws {TypeError} on what JSON cannot say: NaN, infinities, lone surrogates, undefined, functions, big integers;
 * and on what is nested deeper than `maxDepth` lists and objects.
 */
export function canonicalJson(
  value: unknown,
  { maxDepth = Number.POSITIVE_INFINITY }: { maxDepth?: number } = {},
): string {
  return write(value, maxDepth);
}

function write(value: unknown, depthLeft: number): string {
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
      if (depthLeft <= 0) throw new TypeError('the value is nested too deep');
      if (Array.isArray(value))
        return `[${value.map((item) => write(item, depthLeft - 1)).join(',')}]`;
      return writeObject(value as Readonly<Record<string, unknown>>, depthLeft - 1);
    default:
      throw new TypeError(`a value of type ${typeof value} is no JSON`);
  }
}

function writeObject(object: Readonly<Record<string, unknown>>, depthLeft: number): string {
  // Without a comparison function, sort compares UTF-16 code units (RFC 8785, 3.2.3).
  const members = Object.keys(object)
    .toSorted()
    .map((name) => `${quoted(name)}:${write(object[name], depthLeft)}`);
  return `{${members.join(',')}}`;
}

function quoted(text: string): string {
  if (!text.isWellFormed()) throw new TypeError('a text with a lone surrogate is no JSON');
  return JSON.stringify(text);
}
