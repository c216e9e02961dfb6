export {
  type AbuseGuard,
  type AbuseGuardOptions,
  type AbuseSignal,
  type AbuseStatus,
  createAbuseGuard,
  type KnownCaller,
} from './abuse-guard.ts';
export type { AbuseState, AbuseStore, CallerState } from './abuse-store.ts';
export type { Decision, LimitRequest, LimitState } from './decision.ts';
export {
  abuseScored,
  blocked,
  exceeded,
  shadowExceeded,
  storeDown,
  storeUp,
  unblocked,
} from './events.ts';
export {
  CallerBlocked,
  CallerSlowed,
  CostTooHigh,
  LimiterUnavailable,
  RateLimited,
} from './failures.ts';
export type { LimitKey } from './key.ts';
export { type Algorithm, defineLimit, type Limit, type WhenUnavailable } from './limit.ts';
export { createRateLimit, type RateLimit, type RateLimitOptions } from './ratelimit.ts';
export type { Claim, Outcome, RateLimitStore } from './store.ts';
export { memoryAbuseStore, type MemoryAbuseStoreOptions } from './stores/memory-abuse.ts';
export { memoryStore, type MemoryStore, type MemoryStoreOptions } from './stores/memory.ts';
