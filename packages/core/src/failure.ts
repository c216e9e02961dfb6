/** What went wrong, in words that belong to no transport. `@svc/http` owns the one table from kind to status. */
export type FailureKind =
  | 'invalid'
  | 'unauthenticated'
  | 'forbidden'
  | 'not_found'
  | 'conflict'
  | 'precondition_failed'
  | 'precondition_required'
  | 'gone'
  | 'too_large'
  | 'rate_limited'
  | 'unavailable'
  | 'timeout';

/** One fault in a submitted value. Never carries the value itself. */
export interface FieldError {
  /** JSON Pointer (RFC 6901) into the input, `''` for the whole of it. */
  readonly pointer: string;
  readonly code: string;
  readonly message: string;
}

/** What a failure tells the caller beside its code. Everything in here may be sent to the client. */
export interface FailureDetails {
  /** One sentence about this occurrence, without submitted values. */
  readonly detail?: string;
  /** Faults by field, for kind `invalid`. */
  readonly errors?: readonly FieldError[];
  /** Whole seconds after which trying again makes sense. */
  readonly retryAfterSeconds?: number;
  readonly [key: string]: unknown;
}

/** An expected refusal with a stable code. Everything else that is thrown is a bug. */
export interface Failure<Code extends string = string> extends Error {
  readonly '~failure': true;
  readonly code: Code;
  readonly kind: FailureKind;
  readonly details: FailureDetails;
}

/** What is known of a failure before it happens; every failure class fits. */
export interface FailureType<Code extends string = string> {
  readonly code: Code;
  readonly kind: FailureKind;
  readonly title: string;
}

/** The class of one failure: `class InvalidToken extends failure('auth.invalid_token', 'invalid', 'The link is not valid.') {}`. */
export interface FailureClass<Code extends string = string> extends FailureType<Code> {
  new (details?: FailureDetails, options?: ErrorOptions): Failure<Code>;
}

/** Makes the base class of one failure. The code is API (`package.snake_case`), the title is what a person reads. */
export function failure<const Code extends string>(
  code: Code,
  kind: FailureKind,
  title: string,
): FailureClass<Code> {
  return class extends Error {
    static readonly code = code;
    static readonly kind = kind;
    static readonly title = title;
    readonly '~failure' = true as const;
    readonly code = code;
    readonly kind = kind;
    readonly details: FailureDetails;
    constructor(details: FailureDetails = {}, options?: ErrorOptions) {
      super(title, options);
      this.name = code;
      this.details = details;
    }
  };
}

/** Whether a thrown value is a failure, by brand, so that two copies of this package agree; with a class, whether it is that one. */
export function isFailure(value: unknown): value is Failure;
export function isFailure<Code extends string>(
  value: unknown,
  type: FailureType<Code>,
): value is Failure<Code>;
export function isFailure(value: unknown, type?: FailureType): value is Failure {
  if (typeof value !== 'object' || value === null || !('~failure' in value)) return false;
  return type === undefined || (value as Failure).code === type.code;
}
