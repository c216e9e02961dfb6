import { failure, type FailureType, isFailure } from '@svc/core';

/** `If-Match` named another version than the resource has now (RFC 9110, 13.1.1). */
export class PreconditionFailed extends failure(
  'http.precondition_failed',
  'precondition_failed',
  'It was changed in the meantime. Read it again, then repeat your change.',
) {}

/** The request must say which version it means (RFC 6585, 3). */
export class PreconditionRequired extends failure(
  'http.precondition_required',
  'precondition_required',
  'Say which version you mean: send If-Match with the ETag you read.',
) {}

/** The strong entity tag of a version: `"3"`. */
export function toEtag(version: number): string {
  return `"${version}"`;
}

/**
 * The versions a write is meant for: those that `If-Match` lists (RFC 9110, 13.1.1; weak tags never
 * match), or the one in the body; `undefined`, which stands for any, for `If-Match: *` and for neither.
 */
export function expectedVersions({
  ifMatch,
  version,
}: {
  ifMatch?: string | undefined;
  version?: number | undefined;
}): readonly number[] | undefined {
  if (ifMatch === undefined) return version === undefined ? undefined : [version];
  if (ifMatch.trim() === '*') return undefined;
  const listed = ifMatch.split(',').flatMap((tag) => /^\s*"(\d{1,9})"\s*$/.exec(tag)?.[1] ?? []);
  // Where both are given, both must hold.
  return listed.map(Number).filter((each) => version === undefined || each === version);
}

/**
 * As `expectedVersions`, for an address that changes nothing unless it is told which version is meant.
 *
 * @throws {PreconditionRequired} when neither `If-Match` nor the body says so.
 */
export function requireVersions(given: {
  ifMatch?: string | undefined;
  version?: number | undefined;
}): readonly number[] | undefined {
  if (given.ifMatch === undefined && given.version === undefined) throw new PreconditionRequired();
  return expectedVersions(given);
}

/**
 * Whether `If-None-Match: *` asks to write only what is not there yet (RFC 9110, 13.1.2).
 *
 * @throws {PreconditionFailed} when it names tags instead: what would be overwritten has none of them or is not there, and this knows neither.
 */
export function expectsAbsence(ifNoneMatch: string | undefined): boolean {
  if (ifNoneMatch === undefined) return false;
  if (ifNoneMatch.trim() !== '*') throw new PreconditionFailed();
  return true;
}

/** Whether the reader has this version already, so that 304 is the answer: weak tags match here (RFC 9110, 13.1.2). */
export function isKnownVersion(ifNoneMatch: string | undefined, version: number): boolean {
  if (ifNoneMatch === undefined) return false;
  const tags = ifNoneMatch.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(toEtag(version));
}

/**
 * For `.catch`: a conflict of a write that `If-Match` or `If-None-Match` guards is a failed precondition (412), one
 * that the version in the body guards stays a conflict (409).
 */
export function conflictAsPrecondition(
  header: string | undefined,
  ...conflicts: readonly FailureType[]
): (error: unknown) => never {
  return (error) => {
    const isGuarded = header !== undefined && conflicts.some((type) => isFailure(error, type));
    throw isGuarded ? new PreconditionFailed({}, { cause: error }) : error;
  };
}
