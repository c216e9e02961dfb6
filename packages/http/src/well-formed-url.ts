/**
 * Whether every percent-encoding in the path and query of a URL is complete, decodes to UTF-8
 * (RFC 3986 section 2.5) and hides no NUL, which PostgreSQL cannot store.
 */
export function isWellFormedUrl(url: string): boolean {
  if (!url.includes('%')) return true;
  try {
    return !decodeURIComponent(url).includes('\0');
  } catch {
    return false;
  }
}
