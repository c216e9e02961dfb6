import { type Failure, type FailureKind, isFailure } from '@svc/core';

/** The one table from what went wrong to an HTTP status (RFC 9110, RFC 6585). */
const statusByKind: Record<FailureKind, number> = {
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

// Failures of HTTP itself, whose status no transport-neutral kind names.
const statusByCode: Record<string, number> = {
  'http.method_not_allowed': 405,
  'http.body_timeout': 408,
  'http.unsupported_media_type': 415,
};

/** The status of a failure, or of a failure class. */
export function statusOf({ code, kind }: { code: string; kind: FailureKind }): number {
  return statusByCode[code] ?? statusByKind[kind];
}

/** An RFC 9457 problem, as it is sent. */
export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: string;
  readonly instance: string;
  readonly request_id: string;
  readonly detail?: string;
  readonly errors?: readonly { pointer: string; code: string; message: string }[];
  readonly [extension: string]: unknown;
}

export interface ProblemContext {
  requestId: string;
  /** The path of the request, without its query. */
  instance: string;
  /** Where `type` leads: the code is added to it. */
  typeBase: string;
}

/** A thrown value as an answer. What is no failure becomes a bare 500 that tells nothing of its cause. */
export function toProblem(
  error: unknown,
  { requestId, instance, typeBase }: ProblemContext,
): { status: number; headers: Record<string, string>; body: Problem } {
  const failure: Pick<Failure, 'code' | 'kind' | 'message' | 'details'> | undefined = isFailure(error)
    ? error
    : undefined;
  const status = failure === undefined ? 500 : statusOf(failure);
  const code = failure?.code ?? 'internal';
  const { retryAfterSeconds, allow, ...extensions } = failure?.details ?? {};
  return {
    status,
    headers: {
      'content-type': 'application/problem+json',
      'cache-control': 'no-store',
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
      ...(typeof allow === 'string' && { allow }),
      // RFC 9110, 15.5.2: a 401 says how to authenticate.
      ...(status === 401 && { 'www-authenticate': 'Bearer' }),
    },
    body: {
      ...extensions,
      type: `${typeBase}/${code}`,
      title: failure?.message ?? 'Something went wrong on our side.',
      status,
      code,
      instance,
      request_id: requestId,
    },
  };
}

/** The JSON Schema of every problem. */
export const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'code', 'instance', 'request_id'],
  properties: {
    type: { type: 'string', format: 'uri' },
    title: { type: 'string' },
    status: { type: 'integer', minimum: 400, maximum: 599 },
    code: { type: 'string' },
    instance: { type: 'string' },
    request_id: { type: 'string' },
    detail: { type: 'string' },
    errors: {
      type: 'array',
      items: {
        type: 'object',
        required: ['pointer', 'code', 'message'],
        properties: { pointer: { type: 'string' }, code: { type: 'string' }, message: { type: 'string' } },
      },
    },
  },
};
