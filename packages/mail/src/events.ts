import { defineEvent } from '@svc/core';

/** A transport took a mail. */
export const mailSent = defineEvent<{
  messageId: string;
  /** The template's name, `null` for a mail without one. */
  template: string | null;
  transport: string;
  durationMs: number;
}>('svc.mail.sent');

/** A transport did not take a mail. */
export const mailFailed = defineEvent<{
  messageId: string;
  template: string | null;
  transport: string;
  durationMs: number;
  /** The failure's code, `null` for a bug. */
  code: string | null;
}>('svc.mail.failed');
