import * as v from 'valibot';
import type { OperationResponse } from './operation.ts';
import { sha256 } from '@svc/core';
import type { Context } from 'hono';
import { html, raw } from 'hono/html';

const style =
  'body{font:16px/1.5 system-ui,sans-serif;max-width:26rem;margin:15vh auto;padding:0 1rem;color:#222;background:#fff}' +
  'h1{font-size:1.4rem}label,input,button{display:block;width:100%;box-sizing:border-box;font:inherit}' +
  'input,button{padding:.6rem;margin:.3rem 0 1rem}button{border:0;border-radius:.3rem;background:#1a5fb4;color:#fff}' +
  '.fault{color:#a51d2d}@media(prefers-color-scheme:dark){body{background:#1b1b1b;color:#eee}.fault{color:#ff9c9c}}';
const styleHash = Buffer.from(sha256(style)).toString('base64');
const contentSecurityPolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'`;

export interface LinkPageOptions {
  appName: string;
  title: string;
  /** Made with `html` of `hono/html`, which escapes. */
  body: ReturnType<typeof html>;
  /** @default 200 */
  status?: 200 | 400 | 401 | 503;
}

/** The page that a mailed link opens: works without scripts, loads nothing, and tells no other site the address it is at, which holds the token. */
export function linkPage(c: Context, { appName, title, body, status = 200 }: LinkPageOptions) {
  c.header('Content-Security-Policy', contentSecurityPolicy);
  c.header('Referrer-Policy', 'no-referrer');
  c.header('Cache-Control', 'no-store');
  c.header('X-Robots-Tag', 'noindex');
  return c.html(
    html`<!doctype html>
      <html lang="en">
        <head>
          <meta charset="utf-8" />
          <meta name="viewport" content="width=device-width" />
          <title>${title} · ${appName}</title>
          ${raw(`<style>${style}</style>`)}
        </head>
        <body>
          <main>
            <h1>${title}</h1>
            ${body}
          </main>
        </body>
      </html> `,
    status,
  );
}

/** What an operation that answers with such a page says in its `responses`. */
export const htmlPage: OperationResponse = {
  description: 'An HTML page.',
  schema: v.string(),
  example: '<!doctype html>…',
  contentType: 'text/html',
};

/** Says one thing. */
export function messagePage(
  c: Context,
  { text, ...page }: Omit<LinkPageOptions, 'body'> & { text: string },
) {
  return linkPage(c, { ...page, body: html`<p>${text}</p>` });
}
