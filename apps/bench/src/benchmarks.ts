import type { Benchmark } from './benchmark.ts';
import { auditAppend } from './benchmarks/audit-append.ts';
import { auditVerify } from './benchmarks/audit-verify.ts';
import { idempotencyJoined } from './benchmarks/idempotency-joined.ts';
import { idempotencyReplay } from './benchmarks/idempotency-replay.ts';
import { jobsBeside } from './benchmarks/jobs-beside.ts';
import { jobsDrain } from './benchmarks/jobs-drain.ts';
import { jobsEnqueue } from './benchmarks/jobs-enqueue.ts';
import { jobsFair } from './benchmarks/jobs-fair.ts';
import { jobsOwnTransactions } from './benchmarks/jobs-own-transactions.ts';
import { jobsRedisDrain } from './benchmarks/jobs-redis-drain.ts';
import { jobsStartPostgres } from './benchmarks/jobs-start-postgres.ts';
import { jobsStart } from './benchmarks/jobs-start.ts';
import { loginsBesideRequests } from './benchmarks/logins-beside-requests.ts';
import { obsRequests } from './benchmarks/obs-requests.ts';
import { obsScrape } from './benchmarks/obs-scrape.ts';
import { ratelimitFour } from './benchmarks/ratelimit-four.ts';
import { ratelimitLocal } from './benchmarks/ratelimit-local.ts';
import { ratelimitOne } from './benchmarks/ratelimit-one.ts';
import { sessionCheck } from './benchmarks/session-check.ts';
import { sessionLatency } from './benchmarks/session-latency.ts';
import { tenantTransaction } from './benchmarks/tenant-transaction.ts';
import { webhookDeliveries } from './benchmarks/webhook-deliveries.ts';
import { webhookSignaturesLarge, webhookSignaturesSmall } from './benchmarks/webhook-signatures.ts';

/** All benchmarks, in the order they run. */
export const benchmarks: readonly Benchmark[] = [
  sessionCheck,
  sessionLatency,
  loginsBesideRequests,
  auditAppend,
  auditVerify,
  ratelimitOne,
  ratelimitFour,
  ratelimitLocal,
  idempotencyJoined,
  idempotencyReplay,
  tenantTransaction,
  jobsEnqueue,
  jobsOwnTransactions,
  jobsDrain,
  jobsBeside,
  jobsFair,
  jobsStartPostgres,
  webhookSignaturesSmall,
  webhookSignaturesLarge,
  webhookDeliveries,
  jobsRedisDrain,
  jobsStart,
  obsRequests,
  obsScrape,
];
