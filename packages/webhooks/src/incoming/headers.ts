/** Headers as fetch, Node and the frameworks have them. Names in any case. */
export type HeadersLike =
  | { get(name: string): string | null }
  | Readonly<Record<string, string | readonly string[] | undefined>>;

/** The one value of a header; `undefined` when it is missing, or came more than once. */
export function headerOf(headers: HeadersLike, name: string): string | undefined {
  if (isFetchHeaders(headers)) return headers.get(name) ?? undefined;
  let found: string | undefined;
  for (const [key, value] of Object.entries(headers)) {
    if (value === undefined || key.toLowerCase() !== name) continue;
    const [only, ...more] = typeof value === 'string' ? [value] : value;
    if (found !== undefined || only === undefined || more.length > 0) return undefined;
    found = only;
  }
  return found;
}

const isFetchHeaders = (headers: HeadersLike): headers is { get(name: string): string | null } =>
  typeof headers.get === 'function';
