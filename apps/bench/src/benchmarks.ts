import type { Benchmark } from './benchmark.ts';
import { auditAppend } from './benchmarks/audit-append.ts';
import { auditVerify } from './benchmarks/audit-verify.ts';
import { loginsBesideRequests } from './benchmarks/logins-beside-requests.ts';
import { sessionCheck } from './benchmarks/session-check.ts';
import { sessionLatency } from './benchmarks/session-latency.ts';

/** All benchmarks, in the order they run. */
export const benchmarks: readonly Benchmark[] = [
  sessionCheck,
  sessionLatency,
  loginsBesideRequests,
  auditAppend,
  auditVerify,
];
