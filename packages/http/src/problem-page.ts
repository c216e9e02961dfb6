import { type FailureType, InvalidCursor } from '@svc/core';
import * as ownFailures from './failures.ts';
import { escapeHtml, page } from './html.ts';
import * as limitFailures from './limit-failures.ts';
import { PreconditionFailed, PreconditionRequired } from './precondition.ts';
import { statusOf } from './problem.ts';

const known: readonly FailureType[] = [InvalidCursor, PreconditionFailed, PreconditionRequired, ...Object.values(ownFailures), ...Object.values(limitFailures)];

const advice: Record<string, string> = {
  invalid: 'Change the request; sending it again as it is will not help. Where fields are at fault, errors[] names each by its JSON Pointer.',
  unauthenticated: 'Sign in, or send a valid token.',
  forbidden: 'You are signed in and may not do this.',
  not_found: 'It is not there, or not there for you.',
  conflict: 'Read the current state, then decide again.',
  precondition_failed: 'Read it again to learn its new version, then repeat the change.',
  precondition_required: 'Send If-Match with the ETag you read.',
  gone: 'It was there and will not come back.',
  too_large: 'Send less at once.',
  rate_limited: 'Wait as long as Retry-After says.',
  unavailable: 'Try again after a moment; Retry-After says how long where it is known.',
  timeout: 'Try again; if it stays, ask for less at once.',
};

/** The page that a problem's `type` leads to; `undefined` for a code that nothing here answers with. */
export function problemPage(code: string, documented: ReadonlyMap<string, FailureType>): string | undefined {
  if (code === 'internal') return pageOf({ code, status: 500, title: 'Something went wrong on our side.', help: 'Report the request_id; the cause is in our log under it.' });
  const failure = documented.get(code) ?? known.find((each) => each.code === code);
  if (failure === undefined) return undefined;
  return pageOf({ code, status: statusOf(failure), title: failure.title, help: advice[failure.kind] ?? '' });
}

const pageOf = ({ code, status, title, help }: { code: string; status: number; title: string; help: string }) =>
  page(code, `<h1><code>${escapeHtml(code)}</code></h1><p class="dim">HTTP ${status}</p><p>${escapeHtml(title)}</p><p>${escapeHtml(help)}</p>`);
