import { isFailure } from '@svc/core';
import { StaleVersion } from '@svc/db';
import { PreconditionFailed } from '@svc/http';

/** For `.catch`: a version named by `If-Match` that is stale is a failed precondition (RFC 9110, 13.1.1), one in the body a conflict. */
export function staleAsPrecondition(ifMatch: string | undefined) {
  return (error: unknown): never => {
    throw ifMatch !== undefined && isFailure(error, StaleVersion)
      ? new PreconditionFailed()
      : error;
  };
}
