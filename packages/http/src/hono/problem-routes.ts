import { type FailureType, InvalidCursor, ValidationFailed } from '@svc/core';
import { Hono } from 'hono';
import * as failures from '../failures.ts';
import * as limitFailures from '../limit-failures.ts';
import { Overloaded } from '../load-shedder.ts';
import * as maintenanceFailures from '../maintenance/failures.ts';
import * as outboundFailures from '../outbound/failures.ts';
import * as resilienceFailures from '../resilience/failures.ts';
import { PreconditionFailed, PreconditionRequired } from '../precondition.ts';
import { describeProblem } from '../problem.ts';
import { collectProblems, renderProblemIndex, renderProblemPage } from '../problem-pages.ts';
import { failuresOfMiddlewares } from './middleware-docs.ts';
import { documentedRoutes, operation } from './operation.ts';
import { sendPage } from './send-page.ts';
import type { AnyApp } from './any-app.ts';

export interface ProblemRoutesOptions {
  /** Failures that no operation and no middleware names. @default [] */
  readonly failures?: readonly FailureType[];
  /** As given to `problems`, where its path is not `/errors`. @default '/errors' */
  readonly typeBase?: string;
}

/** What any app can answer, whether an operation names it or not. */
const always: readonly FailureType[] = [
  ...Object.values(failures),
  ...Object.values(limitFailures),
  ...Object.values(maintenanceFailures),
  ...Object.values(outboundFailures),
  ...Object.values(resilienceFailures),
  Overloaded,
  PreconditionFailed,
  PreconditionRequired,
  ValidationFailed,
  InvalidCursor,
];

/**
 * Routes `GET /errors` and `GET /errors/{code}`: the pages that the `type` of every problem leads to,
 * for every failure that an operation or a middleware of `app` names.
 */
export function problemRoutes(
  app: AnyApp,
  { failures: others = [], typeBase = '/errors' }: ProblemRoutesOptions = {},
): Hono {
  const open = () => {
    const named = documentedRoutes(app).flatMap((route) => route.operation.failures ?? []);
    const all = [...always, ...others, ...failuresOfMiddlewares(app), ...named];
    return collectProblems(all.map(describeProblem));
  };
  let known: ReturnType<typeof open> | undefined;
  const hidden = { responses: {}, hidden: true } as const;
  const routes = new Hono();
  routes.get(
    '/errors',
    operation({ ...hidden, id: 'problemIndex', summary: 'All problems' }),
    (c) => sendPage(c, renderProblemIndex((known ??= open()).values(), typeBase)),
  );
  routes.get(
    '/errors/:code',
    operation({ ...hidden, id: 'problemPage', summary: 'One problem' }),
    (c) => {
      const problem = (known ??= open()).get(c.req.param('code'));
      if (problem === undefined) throw new failures.NotFound();
      return sendPage(c, renderProblemPage(problem, typeBase));
    },
  );
  return routes;
}
