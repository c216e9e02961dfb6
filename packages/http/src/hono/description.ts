import type { FailureType } from '@svc/core';
import type { MiddlewareHandler } from 'hono';
import type * as v from 'valibot';

/** A schema in a place where a request is validated. */
export type Schema = v.GenericSchema;

export type Target = 'json' | 'form' | 'query' | 'param' | 'header';

export interface ResponseDescription {
  readonly description: string;
  /** The shape of a JSON body; none for an answer without one, or a page. */
  readonly schema?: Schema;
  readonly example?: unknown;
}

/** What an operation says of itself. */
export interface OperationDescription {
  /** Unique and stable: generated clients name their methods after it. */
  readonly id: string;
  readonly summary: string;
  readonly description?: string;
  readonly tags: readonly string[];
  readonly responses: Readonly<Record<number, ResponseDescription>>;
  /** What it may throw, beside what validation and the server itself do. */
  readonly failures?: readonly FailureType[];
  /** `none` for an operation that anybody may call. @default the document's */
  readonly security?: 'none';
}

/** What a middleware tells the OpenAPI document. */
export interface Description {
  readonly operation?: OperationDescription;
  readonly validates?: { readonly target: Target; readonly schema: Schema };
}

const key = Symbol.for('svc.http.description');

/** Attaches a description to a middleware; it stays readable through `app.route`. */
export function describe<Handler extends MiddlewareHandler>(handler: Handler, description: Description): Handler {
  return Object.assign(handler, { [key]: description });
}

/** The description of a handler, if it has one. */
export function descriptionOf(handler: object): Description | undefined {
  return (handler as Record<symbol, Description | undefined>)[key];
}
