import { type Entry, type Need, registry, registryFaults } from '../scenarios/registry.ts';
import type { RuntimeName, StackName } from './arguments.ts';
import { type ControlServer, startControlServer } from './control-server.ts';
import { controlsOf } from './controls.ts';
import { bootEnvironment, type RunningEnvironment } from './environment.ts';
import type { Progress } from './report/terminal.ts';
import type { CheckResult, GateResult, ScenarioResult } from './result.ts';
import { runScenarios, scenarioFiles } from './run-scenarios.ts';
import { StackUnavailable } from './stacks/stack.ts';

export interface RunGateOptions {
  readonly stack: StackName;
  readonly runtime: RuntimeName;
  readonly url: string | undefined;
  readonly only: readonly string[];
  readonly progress: Progress;
  /** Hands over how to end everything at once, for Ctrl-C. */
  readonly onBooted: (stop: () => Promise<unknown>) => void;
}

interface Run extends RunGateOptions {
  /** `undefined` for a deployed app, or when it did not boot. */
  readonly environment: RunningEnvironment | undefined;
  readonly bootError: string | undefined;
  readonly bootMs: number;
  readonly files: ReadonlyMap<string, string>;
  readonly chosen: readonly Entry[];
  readonly results: Map<string, ScenarioResult>;
}

/** Boots one stack, runs every scenario that applies, tears down, and answers what came of each A-ID. @throws {StackUnavailable} */
export async function runGate(options: RunGateOptions): Promise<GateResult> {
  const startedAt = new Date();
  const beganMs = performance.now();
  const { stack, runtime, url, only } = options;
  const run: Run = {
    ...options,
    ...(await boot(options)),
    files: scenarioFiles(),
    chosen: registry.filter(({ id }) => isChosen(id, only)),
    results: new Map(),
  };
  let leftovers: string[] = [];
  try {
    await runPhases(run);
  } finally {
    options.progress.step('tearing down');
    leftovers = (await run.environment?.stop()) ?? [];
  }
  settleOthers(run, leftovers);
  const order = new Map(registry.map(({ id }, index) => [id, index]));
  const place = ({ id }: ScenarioResult) => order.get(id) ?? registry.length;
  return {
    stack: url ?? stack,
    runtime: url === undefined ? runtime : 'deployed',
    partial: only.length > 0,
    startedAt: startedAt.toISOString(),
    durationMs: performance.now() - beganMs,
    scenarios: [...run.results.values()].toSorted((a, b) => place(a) - place(b)),
  };
}

async function boot({ stack, runtime, url, progress, onBooted }: RunGateOptions) {
  const beganMs = performance.now();
  const took = () => performance.now() - beganMs;
  const none = { environment: undefined, bootError: undefined, bootMs: 0 };
  if (url !== undefined) return none;
  try {
    const environment = await bootEnvironment({ stack, runtime, onStep: progress.step });
    onBooted(environment.stop);
    return { ...none, environment, bootMs: took() };
  } catch (error) {
    if (error instanceof StackUnavailable) throw error;
    // The other stacks still run, and the reports say what went wrong here.
    const bootError = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { ...none, bootError, bootMs: took() };
  }
}

/** First what may run side by side, then one by one what needs the app for itself. */
async function runPhases(run: Run): Promise<void> {
  if (run.bootError !== undefined) return;
  const runnable = run.chosen.filter(
    (entry) =>
      entry.state === 'present' && run.files.has(entry.id) && whyNot(run, entry) === undefined,
  );
  run.progress.step(`running ${runnable.length} scenarios`);
  const control = await startControlServer(
    run.environment === undefined ? {} : controlsOf(run.environment),
  );
  try {
    for (const alone of [false, true]) {
      const entries = runnable.filter((entry) => (entry.alone === true) === alone);
      if (entries.length > 0) await runPhase(run, control, entries, !alone);
    }
  } finally {
    control.stop();
  }
}

async function runPhase(
  run: Run,
  control: ControlServer,
  entries: readonly Entry[],
  parallel: boolean,
): Promise<void> {
  const close = await runScenarios({
    files: entries.map(({ id }) => run.files.get(id) as string),
    parallel,
    environment: {
      BASE_URL: run.url ?? run.environment?.app.url ?? '',
      GATE_CONTROL_URL: control.url,
      GATE_CONTROL_TOKEN: control.token,
    },
    onScenarioStart: (id) => run.progress.running(id),
    onScenario(id, checks, durationMs) {
      const title = titleOf(id);
      const result = { id, title, state: stateOf(checks), durationMs, checks };
      // A0 is settled last: tearing down belongs to it.
      if (id === 'A0') run.results.set(id, result);
      else settle(run, result);
    },
  });
  await close();
}

function settle({ results, progress }: Run, result: ScenarioResult): void {
  results.set(result.id, result);
  progress.done(result);
}

/** What did not run, and why; and what is wrong with the registry. */
function settleOthers(run: Run, leftovers: readonly string[]): void {
  const harness = run.results.get('A0');
  if (harness !== undefined) settle(run, withTeardown(harness, run.bootMs, leftovers));
  for (const entry of run.chosen.filter(({ id }) => !run.results.has(id))) {
    settle(run, { ...whyNotRun(run, entry), id: entry.id, title: entry.title, durationMs: 0 });
  }
  registryFaults([...run.files.keys()]).forEach((title, index) => {
    const id = `REGISTRY-${index + 1}`;
    settle(run, { id, title, state: 'failed', durationMs: 0, checks: [] });
  });
}

function whyNotRun(run: Run, entry: Entry): Pick<ScenarioResult, 'state' | 'reason' | 'checks'> {
  if (entry.state === 'later') return { state: 'later', reason: 'expected later', checks: [] };
  if (run.bootError !== undefined) {
    const name = 'svc migrates and seeds, and the app becomes ready';
    const check = { name, state: 'failed', durationMs: run.bootMs, error: run.bootError } as const;
    const checks = entry.id === 'A0' ? [check] : [];
    return { state: 'failed', reason: 'the stack did not boot', checks };
  }
  const reason = whyNot(run, entry);
  if (reason !== undefined) return { state: 'not applicable', reason, checks: [] };
  const missing = run.files.has(entry.id) ? 'it did not run' : 'there is no scenario file for it';
  return { state: 'failed', reason: missing, checks: [] };
}

function isChosen(id: string, only: readonly string[]): boolean {
  return only.length === 0 || only.some((part) => id === part || id.startsWith(`${part}-`));
}

/** Why a scenario cannot run here; `undefined` when it can. */
function whyNot({ environment, stack }: Run, entry: Entry): string | undefined {
  const needs = entry.needs ?? [];
  if (environment === undefined) {
    return needs.length === 0
      ? undefined
      : `needs ${needs.join(', ')}, which a deployed app does not offer`;
  }
  if (entry.only !== undefined && entry.only.stack !== stack) return entry.only.reason;
  const missing = needs.filter((need) => !offers(environment, need));
  if (missing.length === 0) return undefined;
  return `needs ${missing.join(', ')} of the gate's own; the environment gave another`;
}

function offers({ backing }: RunningEnvironment, need: Need): boolean {
  if (need === 'postgres server') return backing.postgres !== undefined;
  if (need === 'redis server') return backing.redis !== undefined;
  if (need === 'fresh database') return backing.freshDatabase !== undefined;
  return true;
}

function stateOf(checks: readonly CheckResult[]): 'passed' | 'failed' {
  // A scenario in which nothing was checked has shown nothing.
  return checks.length > 0 && checks.every((check) => check.state === 'passed')
    ? 'passed'
    : 'failed';
}

function withTeardown(
  result: ScenarioResult,
  bootMs: number,
  leftovers: readonly string[],
): ScenarioResult {
  const booted = 'svc migrates and seeds, and the app becomes ready';
  const checks: CheckResult[] = [
    { name: booted, state: 'passed', durationMs: bootMs },
    ...result.checks,
    {
      name: 'nothing is left running or on disk',
      state: leftovers.length === 0 ? 'passed' : 'failed',
      durationMs: 0,
      ...(leftovers.length > 0 && { error: `left behind: ${leftovers.join(', ')}` }),
    },
  ];
  return { ...result, checks, state: stateOf(checks) };
}

const titleOf = (id: string) =>
  registry.find((entry) => entry.id === id)?.title ?? 'not in the registry';
