import { isFailure, type Logger, uuidv7 } from '@svc/core';
import type { Context } from 'hono';
import { NotFound } from '../failures.ts';
import { prefersPage } from '../prefers-page.ts';
import { toProblem } from '../problem.ts';
import { renderProblemPage } from '../problem-pages.ts';
import type { AnyApp } from './any-app.ts';

export interface ProblemsOptions {
  /** What a code is appended to, after a slash, to make a problem's `type`; `problemRoutes` answers there. @default '/errors' */
  typeBase?: string;
  /** For errors outside `requestContext`, whose logger is used otherwise. @default none */
  logger?: Logger;
}

/**
 * Answers for every error of the app, and for paths no route has, with a problem (RFC 9457). What is
 * no failure is a bare 500; its cause is logged with the request id and never sent. Who asks for `text/html`, as a browser
 * does that follows a link, gets a page that says the same.
 */
export function problems(
  app: AnyApp,
  { typeBase = '/errors', logger }: ProblemsOptions = {},
): void {
  const answer = (error: unknown, c: Context) => {
    const requestId: string = c.get('requestId') ?? uuidv7();
    const { status, headers, body } = toProblem(error, { requestId, typeBase });
    const log: Logger | undefined = c.get('logger') ?? logger?.child({ requestId });
    if (status >= 500) {
      const fields = { err: error, code: body.code, status };
      if (isFailure(error)) log?.warn(fields, 'request refused');
      else log?.error(fields, 'request failed');
    }
    c.header('X-Request-Id', requestId);
    c.header('Vary', 'Accept', { append: true });
    if (prefersPage(c.req.header('accept'))) {
      const page = renderProblemPage(body, typeBase, requestId);
      const { html, contentSecurityPolicy } = page;
      const own = { ...headers, 'Content-Type': 'text/html; charset=UTF-8' };
      return c.body(html, status as 500, {
        ...own,
        'Content-Security-Policy': contentSecurityPolicy,
      });
    }
    return c.body(JSON.stringify(body), status as 500, headers);
  };
  app.onError(answer);
  app.notFound((c) => answer(new NotFound(), c));
}
