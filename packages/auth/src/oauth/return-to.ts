import { ValidationFailed } from '@svc/core';

const maxLength = 1000;

/** A path of our own origin, as a browser will read it. @throws {ValidationFailed} for anything else. */
export function parseReturnTo(value: string | undefined, origin: string): string {
  if (value === undefined) return '/';
  if (typeof value !== 'string') throw new TypeError('returnTo must be a string');
  // Browsers read a backslash as a slash, and drop line breaks and tabs (WHATWG URL).
  if (value.length > maxLength || !/^\/(?!\/)[^\\\p{Cc}\p{Cs}]*$/u.test(value)) throw refused();
  const url = URL.canParse(value, origin) ? new URL(value, origin) : undefined;
  // `/..//evil.example` is a path that resolves to `//evil.example`, which is another site.
  if (url === undefined || url.origin !== origin || url.pathname.startsWith('//')) throw refused();
  return `${url.pathname}${url.search}${url.hash}`;
}

const refused = () =>
  new ValidationFailed([
    {
      pointer: '/returnTo',
      code: 'path',
      message: `Must be a path of this site, of at most ${maxLength} characters.`,
    },
  ]);
