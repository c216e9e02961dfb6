import { type Clock, type Logger, silentLogger, systemClock } from '@svc/core';

/** Something a service stands on, and how to see whether it is there. */
export interface HealthCheck {
  readonly name: string;
  /** Whether the service can do nothing useful without it: then its fault makes readiness 503, else `degraded`. */
  readonly critical: boolean;
  /** Resolves when it is there; rejects when it is not. The signal is aborted when the time limit passes. */
  check(signal: AbortSignal): Promise<void>;
}

export interface HealthReport {
  readonly status: 'ok' | 'degraded' | 'unavailable';
  /** Why no check was asked. */
  readonly reason?: 'starting' | 'draining';
  /** One line for each check; why one failed is logged, never reported. */
  readonly checks: readonly CheckReport[];
}

export interface CheckReport {
  readonly name: string;
  readonly critical: boolean;
  readonly status: 'ok' | 'failed' | 'timeout';
}

export interface Health {
  /** Whether the process runs. Touches no dependency: a database that is down is no reason to restart the service. */
  live(): HealthReport;
  /** Whether traffic should be sent here, whatever the checks named by `exclude` say. Any number of callers costs one round of checks per `cacheMs`. */
  ready(options?: { readonly exclude?: readonly string[] }): Promise<HealthReport>;
  /** Whether the service has finished starting. */
  started(): HealthReport;
  /** Tells that everything is wired and open; readiness is off until then. */
  markStarted(): void;
  /** Turns readiness off for good, at once, also for a `ready()` under way. */
  drain(): void;
}

export interface HealthOptions {
  checks: readonly HealthCheck[];
  /** @default systemClock */
  clock?: Clock;
  /** @default silentLogger */
  logger?: Logger;
  /** How long one check may take, in milliseconds. @default 1000 */
  timeoutMs?: number;
  /** How long an answer is given again, in milliseconds. @default 1000 */
  cacheMs?: number;
}

const ok: HealthReport = { status: 'ok', checks: [] };
const starting: HealthReport = { status: 'unavailable', reason: 'starting', checks: [] };
const draining: HealthReport = { status: 'unavailable', reason: 'draining', checks: [] };

/** A registry of checks that answers the three probes of an orchestrator. */
export function createHealth({
  checks,
  clock = systemClock,
  logger = silentLogger,
  timeoutMs = 1000,
  cacheMs = 1000,
}: HealthOptions): Health {
  const probes = checks.map((check) => createProbe(check, { clock, logger, timeoutMs }));
  let phase: 'starting' | 'running' | 'draining' = 'starting';
  let round: Promise<HealthReport> | undefined;
  let last: { report: HealthReport; atMs: number } | undefined;

  const runRound = async () => {
    const report = summarize(await Promise.all(probes.map((probe) => probe())));
    last = { report, atMs: clock.elapsedMs() };
    round = undefined;
    return report;
  };
  const outOfService = () =>
    phase === 'draining' ? draining : phase === 'starting' ? starting : undefined;

  return {
    live: () => ok,
    started: () => (phase === 'starting' ? starting : ok),
    markStarted: () => {
      if (phase === 'starting') phase = 'running';
    },
    drain: () => {
      phase = 'draining';
    },
    async ready({ exclude = [] } = {}) {
      const refused = outOfService();
      if (refused !== undefined) return refused;
      const isFresh = last !== undefined && clock.elapsedMs() - last.atMs < cacheMs;
      const report = isFresh && last !== undefined ? last.report : await (round ??= runRound());
      const without = () => summarize(report.checks.filter(({ name }) => !exclude.includes(name)));
      return outOfService() ?? (exclude.length > 0 ? without() : report);
    },
  };
}

function summarize(checks: readonly CheckReport[]): HealthReport {
  const failed = checks.filter((check) => check.status !== 'ok');
  if (failed.some((check) => check.critical)) return { status: 'unavailable', checks };
  return { status: failed.length > 0 ? 'degraded' : 'ok', checks };
}

type ProbeOptions = Required<Pick<HealthOptions, 'clock' | 'logger' | 'timeoutMs'>>;

/** One check with its time limit. Never rejects. */
function createProbe(check: HealthCheck, { clock, logger, timeoutMs }: ProbeOptions) {
  const { name, critical } = check;
  let status: CheckReport['status'] = 'ok';
  let running = false;

  // Logged when it changes: a database that is down for an hour is two lines, not one a second.
  const settle = (next: CheckReport['status'], error?: unknown): CheckReport => {
    if (next !== status && next === 'ok') logger.info({ check: name }, 'health check recovered');
    if (next !== status && next !== 'ok')
      logger.warn({ check: name, critical, err: error }, 'health check failed');
    status = next;
    return { name, critical, status };
  };

  return async (): Promise<CheckReport> => {
    // A check that is deaf to its signal would otherwise pile up, one more with every round.
    if (running) return settle('timeout');
    running = true;
    const limit = new AbortController();
    const finished = new AbortController();
    const answered = (async () => check.check(limit.signal))()
      .then(
        () => settle('ok'),
        (error: unknown) => settle(limit.signal.aborted ? 'timeout' : 'failed', error),
      )
      .finally(() => {
        running = false;
        finished.abort('answered');
      });
    const late = clock.sleep(timeoutMs, finished.signal).then(
      () => {
        const error = new Error(`no answer within ${timeoutMs} ms`);
        limit.abort(error);
        return settle('timeout', error);
      },
      () => answered,
    );
    return Promise.race([answered, late]);
  };
}
