import { type FailureType, type FailureKind, type FieldError, isFailure } from '@svc/core';

/** The one table from kind to status (RFC 9110 section 15.5, RFC 6585 for 428 and 429). */
const statusByKind: Readonly<Record<FailureKind, number>> = {
  invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  gone: 410,
  precondition_failed: 412,
  too_large: 413,
  precondition_required: 428,
  rate_limited: 429,
  unavailable: 503,
  timeout: 504,
};

/** Failures whose status no transport-neutral kind can name: those of HTTP itself, and what a draft of HTTP asks for. */
const statusByCode: ReadonlyMap<string, number> = new Map([
  ['http.method_not_allowed', 405],
  ['http.body_timeout', 408],
  ['http.unsupported_media_type', 415],
  ['http.upstream_unreachable', 502],
  ['http.upstream_too_large', 502],
  // The IETF draft "The Idempotency-Key HTTP Header Field", section 2.7.
  ['idempotency.key_reused_unprocessable', 422],
]);

/** The HTTP status of a failure's kind; where a code is given, of the failure with that code. */
export function statusOf(kind: FailureKind, code?: string): number {
  return (code === undefined ? undefined : statusByCode.get(code)) ?? statusByKind[kind];
}

/** What a problem says before it happens: enough for a page or a document about it. */
export interface ProblemDescription {
  readonly code: string;
  readonly status: number;
  readonly title: string;
}

/** A bug, or whatever else was not expected: it never says what happened. */
export const internalProblem: ProblemDescription = {
  code: 'http.internal',
  status: 500,
  title: 'Something went wrong on our side.',
};

/** What answers for an error that a framework raised by status alone. */
export const refusals: readonly ProblemDescription[] = [
  { code: 'http.bad_request', status: 400, title: 'The request is not valid.' },
  { code: 'http.unauthenticated', status: 401, title: 'The request needs credentials.' },
  { code: 'http.forbidden', status: 403, title: 'The request is not allowed.' },
  { code: 'http.not_found', status: 404, title: 'There is nothing at this address.' },
  {
    code: 'http.method_not_allowed',
    status: 405,
    title: 'This address does not take this method.',
  },
  { code: 'http.conflict', status: 409, title: 'The request conflicts with what is there.' },
  { code: 'http.body_too_large', status: 413, title: 'The request body is too large.' },
  {
    code: 'http.unsupported_media_type',
    status: 415,
    title: 'This content type is not supported.',
  },
  { code: 'http.rate_limited', status: 429, title: 'There were too many requests.' },
  { code: 'http.unavailable', status: 503, title: 'The service is not available right now.' },
  { code: 'http.handler_timeout', status: 504, title: 'The service took too long to answer.' },
];

/** Describes a failure as the problem it becomes. */
export function describeProblem({ code, kind, title }: FailureType): ProblemDescription {
  return { code, status: statusOf(kind, code), title };
}

/** An RFC 9457 problem. Never holds a submitted value. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  /** A URI reference of this one occurrence. */
  readonly instance: string;
  readonly request_id: string;
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  readonly [extension: string]: unknown;
}

export interface ToProblemOptions {
  readonly requestId: string;
  /** A URI reference of this occurrence. @default urn:request:{requestId}, which repeats nothing of the request */
  readonly instance?: string;
  /** What a code is appended to, after a slash, to make `type`. @default '/errors' */
  readonly typeBase?: string;
}

/** A problem as it is sent. */
export interface ProblemAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Problem;
}

/**
 * The problem (RFC 9457) that answers for whatever was thrown. A failure speaks for itself; an error
 * that only carries a status gets that status and a title of ours; everything else is a bare 500.
 */
export function toProblem(
  error: unknown,
  { requestId, instance = `urn:request:${requestId}`, typeBase = '/errors' }: ToProblemOptions,
): ProblemAnswer {
  const { code, status, title } = describeError(error);
  const details = isFailure(error) ? error.details : {};
  const { retryAfterSeconds, allow, ...members } = details;
  const headers: Record<string, string> = { 'Content-Type': 'application/problem+json' };
  if (retryAfterSeconds !== undefined)
    headers['Retry-After'] = String(Math.max(0, Math.ceil(retryAfterSeconds)));
  if (Array.isArray(allow)) headers['Allow'] = allow.join(', ');
  if (status === 401) headers['WWW-Authenticate'] = challengeOf(error) ?? 'Bearer';
  const type = `${typeBase}/${code}`;
  const ours = { type, title, status, code, instance, request_id: requestId };
  // First to be read first, and again last: no detail of a failure can pass for them.
  const body = { ...ours, ...members, ...ours };
  return { status, headers, body };
}

function describeError(error: unknown): ProblemDescription {
  if (isFailure(error)) {
    return { code: error.code, status: statusOf(error.kind, error.code), title: error.message };
  }
  const status = statusOfHttpError(error);
  if (status === undefined) return internalProblem;
  const known = refusals.find((refusal) => refusal.status === status);
  if (known !== undefined) return known;
  if (status >= 400 && status < 500)
    return { code: 'http.refused', status, title: 'The request was refused.' };
  return internalProblem;
}

// Hono's HTTPException by its shape: this module knows no framework, and two copies of Hono are two classes.
function statusOfHttpError(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('getResponse' in error) || !('status' in error))
    return undefined;
  return typeof error.status === 'number' ? error.status : undefined;
}

// RFC 9110 section 11.6.1 wants a challenge on every 401; who raised it may know a better one than ours.
function challengeOf(error: unknown): string | undefined {
  if (typeof error !== 'object' || error === null || !('res' in error)) return undefined;
  return error.res instanceof Response
    ? (error.res.headers.get('WWW-Authenticate') ?? undefined)
    : undefined;
}
