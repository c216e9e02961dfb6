import { failure } from '@svc/core';

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
