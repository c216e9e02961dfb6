export type { ExecutedAnswer, Keep, StoredAnswer, Withheld } from './answer.ts';
export type {
  Execute,
  Execution,
  IdempotentRequest,
  RunOptions,
  RunResult,
  Transact,
} from './context.ts';
export { executed, leaseLost, notStored, refused, replayed } from './events.ts';
export {
  BodyTooLarge,
  KeyInvalid,
  KeyMissing,
  KeyReused,
  KeyReusedUnprocessable,
  NotReplayable,
  StillRunning,
  StoreUnavailable,
} from './failures.ts';
export { type Content, type FingerprintBy, fingerprintOf } from './fingerprint.ts';
export { createIdempotency, type Idempotency, type IdempotencyOptions } from './idempotency.ts';
export { type KeyScope, parseIdempotencyKey } from './key.ts';
export type { Claim, Claimed, IdempotencyStore } from './store.ts';
export { memoryStore, type MemoryStoreOptions } from './stores/memory.ts';
