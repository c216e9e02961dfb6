import { defineEvent } from '@svc/core';

/** Waiting events became entries of their chains. */
export const sealed = defineEvent<{ entries: number; chains: number; durationMs: number }>(
  'svc.audit.sealed',
);

/** Sealing, or handing a checkpoint to the anchor, failed, or events have waited for more than five seconds; it is tried again. */
export const sealingFailed = defineEvent<{ step: 'seal' | 'lag' | 'anchor' }>(
  'svc.audit.sealing_failed',
);

/** The log was verified. */
export const verified = defineEvent<{ valid: boolean; entries: number; problems: number }>(
  'svc.audit.verified',
);
