import type { OpenApiDocument } from '@svc/http';
import fc from 'fast-check';
import { type Answer, type CheckContext, type Fault, faultsOf } from './checks.ts';
import { type ContractOperation, operationsOf } from './contract.ts';
import { createSchemaCheck } from './json-schemas.ts';
import { createPool } from './pool.ts';
import {
  curlOf,
  payloadOf,
  type PlannedRequest,
  plannedRequests,
  targetOf,
} from './planned-request.ts';
import { coverageOf, lifecycleFaults } from './phases.ts';

/** A request with a check that its answer failed, as small as it could be made. */
export interface Finding extends Fault {
  readonly operation: string;
  readonly curl: string;
}

export interface FuzzOptions {
  readonly document: OpenApiDocument;
  /** Sends a request as somebody with credentials, or without; the credentials are the sender's business. */
  readonly send: (
    planned: PlannedRequest,
    request: RequestInit & { target: string },
  ) => Promise<Response>;
  /** About how many requests to send; shrinking comes on top. */
  readonly requests: number;
  readonly seed: number;
  /** Says at which operation it is, before and after. @default nothing */
  readonly between?: (operation: ContractOperation) => Promise<void>;
  /** Operations that are not called by somebody who may: why, by id. @default none */
  readonly spared?: Readonly<Record<string, string>>;
  /** Operations that refuse what their schema allows: why, by id. @default none */
  readonly stricter?: Readonly<Record<string, string>>;
  /** Paths whose ids are always made up. @default none */
  readonly isForeign?: (path: string) => boolean;
  /** @default 10000 */
  readonly maxResponseMs?: number;
  /** For curl lines. @default '' */
  readonly baseUrl?: string;
}

export interface FuzzResult {
  readonly findings: readonly Finding[];
  readonly requests: number;
  /** How often each operation answered with 2xx or 3xx. */
  readonly reached: ReadonlyMap<string, number>;
}

export type Try = (
  operation: ContractOperation,
  planned: PlannedRequest,
) => Promise<{ answer: Answer; faults: Fault[] }>;

/**
 * Drives an app by its OpenAPI document: the examples first, then what each operation must refuse, then requests drawn
 * from the schemas, then the lives of resources. Each finding is shrunk to the least request that shows it. The same
 * seed sends the same requests.
 */
export async function fuzz(options: FuzzOptions): Promise<FuzzResult> {
  const { document, seed, between, spared = {}, stricter = {}, isForeign = () => false } = options;
  const context: CheckContext = {
    document,
    check: createSchemaCheck(document),
    maxResponseMs: options.maxResponseMs ?? 10_000,
  };
  const pool = createPool();
  const reached = new Map<string, number>();
  const findings = new Map<string, Finding>();
  const operations = operationsOf(document);
  let sent = 0;

  const attempt: Try = async (operation, planned) => {
    sent += 1;
    const answer = await exchange(planned, options);
    if (answer.status < 400 && planned.sender === 'known') {
      reached.set(operation.id, (reached.get(operation.id) ?? 0) + 1);
      pool.learn(operation, planned, answer);
    }
    const faults = faultsOf(operation, planned, answer, context);
    const isStricter = ({ check }: Fault) =>
      check === 'positive_data_acceptance' && operation.id in stricter;
    return { answer, faults: faults.filter((fault) => !isStricter(fault)) };
  };
  const report = (
    operation: ContractOperation,
    planned: PlannedRequest,
    faults: readonly Fault[],
  ) => {
    for (const fault of faults) {
      const key = `${operation.id} ${fault.check}`;
      const curl = curlOf(planned, options.baseUrl ?? '');
      if (!findings.has(key)) findings.set(key, { ...fault, operation: operation.id, curl });
    }
  };

  for (const operation of operations) {
    await between?.(operation);
    for (const { planned, expected } of coverageOf(operation, operations)) {
      if (planned.sender === 'known' && planned.kind === 'fits' && operation.id in spared) continue;
      const { answer, faults } = await attempt(operation, planned);
      report(operation, planned, expected === undefined ? faults : expected(answer));
    }
  }
  const able = operations.filter(({ id }) => !(id in spared));
  const runs = Math.max(1, Math.floor((options.requests - sent) / Math.max(able.length, 1)));
  for (const operation of able) {
    await between?.(operation);
    const real = (prefix: string, pick: number) =>
      isForeign(operation.path) ? undefined : pool.idOf(prefix, pick);
    for (const [kind, share] of [
      ['fits', 0.4],
      ['odd', 0.2],
      ['broken', 0.4],
    ] as const) {
      const numRuns = Math.max(1, Math.round(runs * share));
      const requests = plannedRequests(operation, kind, context.check, real);
      await explore(operation, kind, requests, {
        numRuns,
        seed: seed + hashOf(`${operation.id} ${kind}`),
      });
    }
  }
  await between?.(operations[0] as ContractOperation);
  for (const each of await lifecycleFaults(operations, attempt, { ...spared, ...stricter }))
    report(each.operation, each.planned, each.faults);
  return { findings: [...findings.values()], requests: sent, reached };

  async function explore(
    operation: ContractOperation,
    kind: PlannedRequest['kind'],
    requests: fc.Arbitrary<PlannedRequest>,
    parameters: { numRuns: number; seed: number },
  ) {
    let last: { planned: PlannedRequest; faults: readonly Fault[] } | undefined;
    const property = fc.asyncProperty(requests, async (planned) => {
      fc.pre(planned.kind === kind);
      const { faults } = await attempt(operation, planned);
      const fresh = faults.filter(({ check }) => !findings.has(`${operation.id} ${check}`));
      if (fresh.length === 0) return true;
      // Shrinking ends with the last request that failed.
      last = { planned, faults: fresh };
      return false;
    });
    // What has no broken form draws nothing: it is skipped, not failed.
    const limits = {
      maxSkipsPerRun: 5,
      interruptAfterTimeLimit: 5000,
      markInterruptAsFailure: false,
    };
    await fc.check(property, { ...parameters, ...limits });
    if (last !== undefined) report(operation, last.planned, last.faults);
  }
}

async function exchange(planned: PlannedRequest, { send }: FuzzOptions): Promise<Answer> {
  const payload = payloadOf(planned);
  const headers: Record<string, string> = { ...planned.headers };
  if (planned.contentType !== undefined && payload !== undefined)
    headers['content-type'] = planned.contentType;
  const startedAt = performance.now();
  const response = await send(planned, {
    target: targetOf(planned),
    method: planned.method,
    headers,
    ...(payload !== undefined && { body: payload }),
  });
  const text = await response.text();
  const tookMs = performance.now() - startedAt;
  return { status: response.status, headers: response.headers, text, tookMs };
}

/** FNV-1a: so that an operation draws the same whatever other operations there are. */
function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (const char of text) hash = Math.imul(hash ^ char.charCodeAt(0), 0x01000193);
  return hash & 0xffffff;
}
