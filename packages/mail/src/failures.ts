import { failure } from '@svc/core';

/** Not the address of one mailbox, or a name that does not fit on one line. */
export class InvalidAddress extends failure(
  'mail.invalid_address',
  'invalid',
  'The e-mail address is not valid.',
) {}

/** The mail server cannot be reached, is busy, or refuses us as a client: the same mail may go through later. */
export class MailUnavailable extends failure(
  'mail.unavailable',
  'unavailable',
  'Mail cannot be sent at the moment.',
) {}

/** The mail server will not take this mail, now or later. */
export class MailRejected extends failure(
  'mail.rejected',
  'invalid',
  'The mail server does not accept this mail.',
) {}
