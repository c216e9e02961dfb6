import { isFailure, type Logger, uuidv7 } from '@svc/core';
import type { Context } from 'hono';
import { NotFound } from '../failures.ts';
import { toProblem } from '../problem.ts';
import type { AnyApp } from './any-app.ts';

export interface ProblemsOptions {
  /** What a code is appended to, after a slash, to make a problem's `type`; `problemRoutes` answers there. @default '/errors' */
  typeBase?: string;
  /** For errors outside `requestContext`, whose logger is used otherwise. @default none */
  logger?: Logger;
}

/**
 * Answers for every error of the app, and for paths no route has, with a problem (RFC 9457). What is
 * no failure is a bare 500; its cause is logged with the request id and never sent.
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
    return c.body(JSON.stringify(body), status as 500, headers);
  };
  app.onError(answer);
  app.notFound((c) => answer(new NotFound(), c));
}
