import { failure } from '@svc/core';

/** The body is not JSON: cut off, not UTF-8, nested too deeply. */
export class MalformedBody extends failure(
  'http.malformed_body',
  'invalid',
  'The request body could not be read.',
) {}

/** The body has another content type than the operation takes. Answered with 415. */
export class UnsupportedMediaType extends failure(
  'http.unsupported_media_type',
  'invalid',
  'The content type of the request body is not supported.',
) {}

/** The URL, a header or a cookie could not be decoded. */
export class MalformedRequest extends failure(
  'http.malformed_request',
  'invalid',
  'The request could not be understood.',
) {}

/** No operation has this path. */
export class RouteNotFound extends failure(
  'http.not_found',
  'not_found',
  'There is nothing at this address.',
) {}

/** The path exists, with other methods. Answered with 405 and `Allow`. */
export class MethodNotAllowed extends failure(
  'http.method_not_allowed',
  'invalid',
  'This address does not take this method.',
) {}

/** A browser sent this from a page of another site, with the cookies of this one. */
export class CrossSite extends failure(
  'http.cross_site',
  'forbidden',
  'The request came from another site.',
) {}
