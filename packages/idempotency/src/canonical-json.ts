/** How deep the values may be nested; what is deeper is compared by its bytes. */
const maxDepth = 64;

/**
 * The one JSON text of a value that `JSON.parse` gave (RFC 8785): members sorted by UTF-16 code units, numbers and
 * strings as ECMAScript writes them, no white space. `undefined` when it is nested deeper than 64 levels.
 */
export function canonicalJson(value: unknown, depth = 0): string | undefined {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if (depth >= maxDepth) return undefined;
  if (Array.isArray(value)) {
    const items = value.map((item) => canonicalJson(item, depth + 1));
    return items.includes(undefined) ? undefined : `[${items.join(',')}]`;
  }
  const object = value as Readonly<Record<string, unknown>>;
  // Without a comparison function, sort compares UTF-16 code units (RFC 8785, 3.2.3).
  const names = Object.keys(object).toSorted();
  const values = names.map((name) => canonicalJson(object[name], depth + 1));
  if (values.includes(undefined)) return undefined;
  return `{${names.map((name, at) => `${JSON.stringify(name)}:${values[at]}`).join(',')}}`;
}
