import type { MiddlewareHandler } from 'hono';
import { changeHeaders } from './change-headers.ts';

export interface DeprecatedOptions {
  /** Since when, or from when on, it is not to be built upon. */
  since: Date;
  /** From when on it may not answer any more; not before `since`. @default not known */
  sunset?: Date;
  /** An address that says what to do instead. @default none */
  guide?: string;
  /** The address of what takes its place. @default none */
  successor?: string;
}

/** Says on every answer that a resource is deprecated (RFC 9745), and when it ends (RFC 8594). @throws {TypeError} where it ends before it is deprecated. */
export function deprecated({
  since,
  sunset,
  guide,
  successor,
}: DeprecatedOptions): MiddlewareHandler {
  // RFC 9745 section 4.
  if (sunset !== undefined && sunset < since) throw new TypeError('sunset is before since');
  const links = [
    ...(guide === undefined ? [] : [link(guide, 'deprecation')]),
    ...(guide === undefined || sunset === undefined ? [] : [link(guide, 'sunset')]),
    ...(successor === undefined ? [] : [link(successor, 'successor-version')]),
  ];
  const set: [string, string][] = [['Deprecation', `@${Math.floor(since.getTime() / 1000)}`]];
  if (sunset !== undefined) set.push(['Sunset', sunset.toUTCString()]);
  return async function deprecated(c, next) {
    try {
      await next();
    } finally {
      changeHeaders(c, (headers) => {
        for (const [name, value] of set) headers.set(name, value);
        // It may run twice, and the answer may have links of its own.
        const there = headers.get('Link') ?? '';
        for (const one of links) if (!there.includes(one)) headers.append('Link', one);
      });
    }
  };
}

function link(target: string, relation: string): string {
  if (/[<>\s]/.test(target)) throw new TypeError('a link is a URI reference');
  return `<${target}>; rel="${relation}"`;
}
