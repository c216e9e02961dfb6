/**
 * Whether an `Accept` header (RFC 9110 section 12.5.1) asks for a page, as that of a browser that follows a link does: it
 * names `text/html`, and nothing that a program reads is as welcome.
 */
export function prefersPage(accept: string | undefined): boolean {
  const weights = new Map(
    (accept ?? '').split(',').map((range) => {
      const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
      const weight = parameters.find((each) => each.startsWith('q='))?.slice(2);
      return [type, weight === undefined ? 1 : Number(weight)] as const;
    }),
  );
  const page = weights.get('text/html') ?? 0;
  const data = ['application/problem+json', 'application/json'].map(
    (type) => weights.get(type) ?? 0,
  );
  return page > 0 && page > Math.max(...data);
}
