import { sha256 } from '@svc/core';
import { type Html, markup } from './markup.ts';
import { pageStyle } from './page-style.ts';

/** A page and the policy that it keeps to. */
export interface Page {
  readonly html: string;
  /** The value of `Content-Security-Policy`: no script at all, and only this style. */
  readonly contentSecurityPolicy: string;
}

// As one piece: its hash is of every character between the tags.
const style: Html = { '~html': `<style>${pageStyle}</style>` };
const styleHash = Buffer.from(sha256(pageStyle)).toString('base64');

const contentSecurityPolicy = [
  "default-src 'none'",
  `style-src 'sha256-${styleHash}'`,
  'img-src data:',
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** A page that loads nothing and runs nothing. */
export function renderPage(title: string, body: Html): Page {
  const page = markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <link rel="icon" href="data:," />
        ${style}
      </head>
      <body>
        ${body}
      </body>
    </html> `;
  return { html: page['~html'], contentSecurityPolicy };
}
