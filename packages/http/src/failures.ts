import { failure } from '@svc/core';

/** The body is not what its content type says: not UTF-8, not JSON, or nested too deeply. */
export class MalformedBody extends failure(
  'http.malformed_body',
  'invalid',
  'The request body cannot be read.',
) {}

/** The path or the query has a broken percent-encoding, or encodes what is not UTF-8 or a NUL. */
export class MalformedUrl extends failure(
  'http.malformed_url',
  'invalid',
  'The address of the request cannot be read.',
) {}

/** The body's content type, character set or encoding is not one this address reads. Answered with 415. */
export class UnsupportedMediaType extends failure(
  'http.unsupported_media_type',
  'invalid',
  'This content type is not supported.',
) {}

/** No route has this path. */
export class NotFound extends failure(
  'http.not_found',
  'not_found',
  'There is nothing at this address.',
) {}

/** A route has this path, with other methods. Answered with 405 and `Allow`. */
export class MethodNotAllowed extends failure(
  'http.method_not_allowed',
  'invalid',
  'This address does not take this method.',
) {
  constructor(allow: readonly string[]) {
    super({ allow });
  }
}

/** A page of another site sent a request that carries this site's cookies. */
export class CrossSite extends failure(
  'http.cross_site',
  'forbidden',
  'The request comes from another site.',
) {}
