import { failure } from '@svc/core';

/** Why an address is refused. */
export type RefusalReason =
  | 'url'
  | 'scheme'
  | 'credentials'
  | 'port'
  | 'name'
  | 'address'
  | 'redirect';

const details: Readonly<Record<RefusalReason, string>> = {
  url: 'It is not an absolute URL.',
  scheme: 'Only https is called.',
  credentials: 'A URL must not hold credentials.',
  port: 'This port is not called.',
  name: 'This name is not one of the public internet.',
  address: 'It does not lead to a public address.',
  redirect: 'It redirects, which is not followed.',
};

/** A URL that must not be called: not https, with credentials, to an odd port, or not to a public address. Nothing was sent to it. */
export class OutboundRefused extends failure(
  'http.outbound_refused',
  'invalid',
  'This URL cannot be called.',
) {
  readonly reason: RefusalReason;
  constructor(reason: RefusalReason) {
    super({ detail: details[reason], reason });
    this.reason = reason;
  }
}

/** Another service could not be reached, or did not speak HTTP. Answered with 502. */
export class UpstreamUnreachable extends failure(
  'http.upstream_unreachable',
  'unavailable',
  'Another service could not be reached.',
) {}

/** Another service took longer than it was given. Answered with 504. */
export class UpstreamTimeout extends failure(
  'http.upstream_timeout',
  'timeout',
  'Another service took too long to answer.',
) {}

/** Another service answered with more than is read of it, also after unpacking. Answered with 502. */
export class UpstreamTooLarge extends failure(
  'http.upstream_too_large',
  'unavailable',
  'Another service answered with too much.',
) {}
