/** What came of one check of a scenario. */
export interface CheckResult {
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly durationMs: number;
  readonly error?: string;
}

/** What came of one A-ID. */
export interface ScenarioResult {
  readonly id: string;
  readonly title: string;
  /** `later`: an issue of its own will bring it. `not applicable`: not on this stack, or not with `--url`. */
  readonly state: 'passed' | 'failed' | 'later' | 'not applicable';
  /** Why it did not run. */
  readonly reason?: string;
  readonly durationMs: number;
  readonly checks: readonly CheckResult[];
}

/** What came of one run of the gate. */
export interface GateResult {
  readonly stack: string;
  readonly runtime: string;
  /** Whether `--only` left something out. */
  readonly partial: boolean;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly scenarios: readonly ScenarioResult[];
}

export function countStates(scenarios: readonly ScenarioResult[]) {
  const count = (state: ScenarioResult['state']) =>
    scenarios.filter((scenario) => scenario.state === state).length;
  return {
    passed: count('passed'),
    failed: count('failed'),
    later: count('later'),
    notApplicable: count('not applicable'),
  };
}
