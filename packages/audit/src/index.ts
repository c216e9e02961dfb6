export { type Anchor, type CheckpointNote, logAnchor } from './anchor.ts';
export { type Audit, type AuditOptions, createAudit } from './audit.ts';
export type { AuditProblem, AuditProblemKind, CheckedChain } from './chain-check.ts';
export { type Checkpoint, parseCheckpoint } from './checkpoint.ts';
export type { CheckpointSearch } from './checkpoints.ts';
export type { WriteOptions } from './context.ts';
export type { AuditErasure } from './erase.ts';
export type { AuditActor, AuditEvent, AuditOutcome } from './event.ts';
export {
  type ControlSet,
  type EventType,
  eventTypes,
  eventTypesFor,
  type KnownEventType,
} from './event-types.ts';
export { sealed, sealingFailed, verified } from './events.ts';
export type { AuditExport } from './export.ts';
export {
  AppendOnly,
  AuditBroken,
  ErasedMeanwhile,
  PurgedMeanwhile,
  SealingBehind,
} from './failures.ts';
export type { LogScope } from './log-lines.ts';
export {
  consistencyProof,
  createMerkleTree,
  emptyRoot,
  type Frontier,
  hashLeaf,
  hashNode,
  inclusionProof,
  merkleRoot,
  type MerkleTree,
  verifyConsistency,
  verifyInclusion,
} from './merkle.ts';
export type { AuditPurge } from './purge.ts';
export type { AuditEntry, AuditFilter, AuditSearch } from './search.ts';
export { auditSettings } from './settings.ts';
export {
  createNoteSigner,
  createNoteVerifier,
  createSigningKey,
  type NoteSigner,
  type NoteVerifier,
  parseNote,
  type SignedNote,
  type SigningKey,
  splitNotes,
} from './signed-note.ts';
export type { AuditVerify } from './verify.ts';
export {
  type AuditVerification,
  type RememberedEnd,
  verifyAuditLog,
  type VerifyAuditLogOptions,
} from './verify-audit-log.ts';
