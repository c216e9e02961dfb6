import type { LimitState } from '../decision.ts';

/** Which headers tell clients of their limits. */
export type HeaderForm = 'ietf' | 'legacy' | 'both' | false;

/** What these headers are, for the OpenAPI document. */
export function documentedFields(form: HeaderForm) {
  const text = (description: string) => ({
    description,
    schema: { type: 'string', maxLength: 1024 },
  });
  const count = (description: string) => ({
    description,
    schema: { type: 'integer', format: 'int64', minimum: 0, maximum: 9_007_199_254_740_991 },
  });
  return {
    ...((form === 'ietf' || form === 'both') && {
      'RateLimit-Policy': text(
        'The limits of this request: name, quota `q`, window `w` in seconds.',
      ),
      RateLimit: text('How each limit stands: what remains `r`, and seconds `t` until more does.'),
    }),
    ...((form === 'legacy' || form === 'both') && {
      'X-RateLimit-Limit': count('The quota of the limit that is nearest to its end.'),
      'X-RateLimit-Remaining': count('What remains of it.'),
      'X-RateLimit-Reset': count('When it is whole again, in seconds since 1970.'),
    }),
  };
}

/**
 * `RateLimit-Policy` and `RateLimit` of draft-ietf-httpapi-ratelimit-headers-11: lists of strings with parameters
 * (RFC 9651). Names need no escaping, `defineLimit` sees to that. A limit in shadow mode is not told.
 */
export function ietfFields(limits: readonly LimitState[], isRefused: boolean): [string, string][] {
  const told = limits.filter(({ shadow }) => !shadow);
  if (told.length === 0) return [];
  const policies = told.map(
    ({ name, quota, windowMs }) =>
      // A window is told in whole seconds, or not at all.
      `"${name}";q=${quota}${windowMs % 1000 === 0 ? `;w=${windowMs / 1000}` : ''}`,
  );
  const states = told.map(({ name, remaining, violated, retryAfterMs, resetAfterMs }) => {
    const afterMs = violated ? retryAfterMs : resetAfterMs;
    // Retry-After should not be earlier than any t (section 4.1), and it speaks of those that refuse.
    const t = violated || !isRefused ? `;t=${Math.ceil(afterMs / 1000)}` : '';
    return `"${name}";r=${remaining}${t}`;
  });
  return [
    ['RateLimit-Policy', policies.join(', ')],
    ['RateLimit', states.join(', ')],
  ];
}

/** `X-RateLimit-*` of the limit that is nearest to its end; the reset in seconds since 1970, as GitHub has it. */
export function legacyFields(limits: readonly LimitState[], nowMs: number): [string, string][] {
  const told = limits.filter(({ shadow }) => !shadow);
  const [first, ...others] = told;
  if (first === undefined) return [];
  const left = ({ violated, remaining, quota }: LimitState) => (violated ? -1 : remaining / quota);
  const nearest = others.reduce((least, each) => (left(each) < left(least) ? each : least), first);
  const afterMs = nearest.violated ? nearest.retryAfterMs : nearest.resetAfterMs;
  return [
    ['X-RateLimit-Limit', `${nearest.quota}`],
    ['X-RateLimit-Remaining', `${nearest.remaining}`],
    ['X-RateLimit-Reset', `${Math.ceil((nowMs + afterMs) / 1000)}`],
  ];
}
