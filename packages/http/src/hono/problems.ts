import { isFailure, type Logger, silentLogger } from '@svc/core';
import type { Context, Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { MalformedRequest, RouteNotFound } from '../failures.ts';
import { toProblem } from '../problem.ts';
import { allowedMethods, assertMethod } from './allowed-methods.ts';
import type { HttpEnv } from './request-context.ts';

export interface ProblemsOptions {
  /** Where `type` leads (`https://api.example.com/errors`): the code is added. */
  typeBase: string;
}

/** Answers everything that is thrown, and every address that is not there, with a problem (RFC 9457). */
// oxlint-disable-next-line no-explicit-any -- any app, whatever else its environment holds
export function problems(app: Hono<any>, { typeBase }: ProblemsOptions): void {
  const answer = (error: unknown, c: Context<HttpEnv>) => {
    const { status, headers, body } = toProblem(error, { requestId: c.get('requestId'), instance: c.req.path, typeBase });
    // What middleware put on the answer before (CORS, the request id) stays.
    return c.body(JSON.stringify(body), status as 400, headers);
  };
  app.onError((thrown, c: Context<HttpEnv>) => {
    const error = thrown instanceof HTTPException && thrown.status < 500 ? new MalformedRequest({}, { cause: thrown }) : thrown;
    logThrown(error, c.get('logger') ?? silentLogger);
    return answer(error, c);
  });
  const methodsOf = allowedMethods(app);
  app.notFound((c: Context<HttpEnv>) => {
    try {
      assertMethod(methodsOf(c.req.path), c.req.method);
    } catch (error) {
      return answer(error, c);
    }
    return answer(new RouteNotFound(), c);
  });
}

function logThrown(error: unknown, logger: Logger): void {
  if (!isFailure(error)) logger.error({ err: error }, 'unexpected error');
  else if (error.kind === 'unavailable' || error.kind === 'timeout') logger.warn({ code: error.code, err: error.cause }, 'could not answer');
}
