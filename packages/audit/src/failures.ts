import { failure } from '@svc/core';

/** The log does not verify, so nothing of it is removed. */
export class AuditBroken extends failure(
  'audit.broken',
  'conflict',
  'The audit log does not verify; nothing was removed.',
) {}

/** The role of the database may append and read, but not remove. */
export class AppendOnly extends failure(
  'audit.append_only',
  'forbidden',
  'Only the owner of the tables may remove entries of the audit log.',
) {}

/** Something committed has waited for longer than it should to be sealed. */
export class SealingBehind extends failure(
  'audit.sealing_behind',
  'unavailable',
  'Events of the audit log wait to be sealed.',
) {}

/** Personal values were erased while they were read. Start again. */
export class ErasedMeanwhile extends failure(
  'audit.erased_meanwhile',
  'conflict',
  'Personal values were erased while the log was read. Start again.',
) {}

/** Entries were removed by retention while they were read. Start again. */
export class PurgedMeanwhile extends failure(
  'audit.purged_meanwhile',
  'conflict',
  'Old entries were removed while the log was read. Start again.',
) {}
