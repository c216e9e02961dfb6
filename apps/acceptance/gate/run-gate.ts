import { type Need, registry, registryFaults } from '../scenarios/registry.ts';
import type { RuntimeName, StackName } from './arguments.ts';
import { startControlServer } from './control-server.ts';
import { controlsOf } from './controls.ts';
import { bootEnvironment, type RunningEnvironment } from './environment.ts';
import type { Progress } from './report/terminal.ts';
import type { CheckResult, GateResult, ScenarioResult } from './result.ts';
import { runScenarios, scenarioFiles } from './run-scenarios.ts';

export interface RunGateOptions {
  readonly stack: StackName;
  readonly runtime: RuntimeName;
  readonly url: string | undefined;
  readonly only: readonly string[];
  readonly progress: Progress;
  /** Hands over how to end everything at once, for Ctrl-C. */
  readonly onBooted: (stop: () => Promise<unknown>) => void;
}

/** Boots one stack, runs every scenario that applies, tears down, and answers what came of each A-ID. */
export async function runGate({
  stack,
  runtime,
  url,
  only,
  progress,
  onBooted,
}: RunGateOptions): Promise<GateResult> {
  const startedAt = new Date();
  const beganMs = performance.now();
  const results = new Map<string, ScenarioResult>();
  const settle = (result: ScenarioResult) => {
    results.set(result.id, result);
    progress.done(result);
  };

  const environment =
    url === undefined
      ? await bootEnvironment({ stack, runtime, onStep: progress.step })
      : undefined;
  if (environment !== undefined) onBooted(environment.stop);
  const bootMs = performance.now() - beganMs;
  const files = scenarioFiles();
  const chosen = registry.filter(({ id }) => isChosen(id, only));
  const runnable = chosen.filter(
    (entry) =>
      entry.state === 'present' &&
      files.has(entry.id) &&
      whyNot(entry, environment, stack) === undefined,
  );
  const control = await startControlServer(
    environment === undefined ? {} : controlsOf(environment),
  );
  let leftovers: string[] = [];
  try {
    progress.step(`running ${runnable.length} scenarios`);
    const close = await runScenarios({
      files: runnable.map(({ id }) => files.get(id) as string),
      environment: {
        BASE_URL: url ?? (environment as RunningEnvironment).app.url,
        GATE_CONTROL_URL: control.url,
        GATE_CONTROL_TOKEN: control.token,
        GATE_STACK: stack,
      },
      onScenarioStart: (id) => progress.running(id),
      onScenario(id, checks, durationMs) {
        const title = registry.find((entry) => entry.id === id)?.title ?? 'not in the registry';
        const result = { id, title, state: stateOf(checks), durationMs, checks };
        // A0 is settled last: tearing down belongs to it.
        if (id === 'A0') results.set(id, result);
        else settle(result);
      },
    });
    await close();
  } finally {
    control.stop();
    progress.step('tearing down');
    leftovers = (await environment?.stop()) ?? [];
  }

  for (const entry of chosen) {
    const { id, title } = entry;
    if (id === 'A0' && results.has(id))
      settle(withTeardown(results.get(id) as ScenarioResult, bootMs, leftovers));
    if (results.has(id)) continue;
    const reason = whyNot(entry, environment, stack);
    const none = { id, title, durationMs: 0, checks: [] };
    if (entry.state === 'later') settle({ ...none, state: 'later', reason: 'expected later' });
    else if (reason !== undefined) settle({ ...none, state: 'not applicable', reason });
    else
      settle({
        ...none,
        state: 'failed',
        reason: files.has(id) ? 'the scenario did not run' : 'there is no scenario file for it',
      });
  }
  for (const fault of faults([...files.keys()])) {
    settle({ id: 'REGISTRY', title: fault, state: 'failed', durationMs: 0, checks: [] });
  }
  return {
    stack: url ?? stack,
    runtime: url === undefined ? runtime : 'deployed',
    startedAt: startedAt.toISOString(),
    durationMs: performance.now() - beganMs,
    scenarios: [...results.values()].toSorted((a, b) => orderOf(a.id) - orderOf(b.id)),
  };
}

function isChosen(id: string, only: readonly string[]): boolean {
  return only.length === 0 || only.some((part) => id === part || id.startsWith(`${part}-`));
}

type Entry = (typeof registry)[number];

/** Why a scenario cannot run here; `undefined` when it can. */
function whyNot(
  entry: Entry,
  environment: RunningEnvironment | undefined,
  stack: StackName,
): string | undefined {
  if (environment === undefined) {
    const needs = entry.needs ?? [];
    return needs.length === 0
      ? undefined
      : `needs ${needs.join(', ')}, which a deployed app does not offer`;
  }
  if (entry.only !== undefined && entry.only.stack !== stack) return entry.only.reason;
  const missing = (entry.needs ?? []).filter((need) => !offers(environment, need));
  return missing.length === 0
    ? undefined
    : `needs ${missing.join(', ')}; the server was given by the environment`;
}

function offers({ backing }: RunningEnvironment, need: Need): boolean {
  if (need === 'postgres server') return backing.postgres !== undefined;
  if (need === 'redis server') return backing.redis !== undefined;
  return true;
}

function stateOf(checks: readonly CheckResult[]): 'passed' | 'failed' {
  // A scenario in which nothing was checked has shown nothing.
  return checks.some((check) => check.state === 'passed') &&
    checks.every((check) => check.state === 'passed')
    ? 'passed'
    : 'failed';
}

function withTeardown(
  result: ScenarioResult,
  bootMs: number,
  leftovers: readonly string[],
): ScenarioResult {
  const checks: CheckResult[] = [
    {
      name: 'svc migrates and seeds, and the app becomes ready',
      state: 'passed',
      durationMs: bootMs,
    },
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

function faults(fileIds: readonly string[]): string[] {
  const known = new Set(registry.map((entry) => entry.id));
  return [
    ...registryFaults(),
    ...fileIds
      .filter((id) => !known.has(id))
      .map((id) => `${id} has a scenario file and is not in the registry`),
  ];
}

const orderOf = (id: string) => {
  const index = registry.findIndex((entry) => entry.id === id);
  return index === -1 ? registry.length : index;
};
