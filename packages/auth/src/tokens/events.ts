import { defineEvent } from '@svc/core';

/** A new signing key is published; it signs from `activatesAt` on. */
export const signingKeyPublished = defineEvent<{
  keyId: string;
  issuer: string;
  activatesAt: Date;
}>('svc.auth.signing_key_published');
