import type { Context } from 'hono';
import type { Page } from '../page.ts';

/** Answers with a page and the policy that it keeps to. */
export function sendPage(c: Context, page: Page): Response {
  return c.html(page.html, 200, {
    'Content-Security-Policy': page.contentSecurityPolicy,
    'Cache-Control': 'no-cache',
  }) as Response;
}
