import type { Counts, ResultFile } from './result-file.ts';

/** One line of the production-readiness report. */
export interface Area {
  readonly name: string;
  readonly result: string;
  readonly points: number;
  readonly outOf: number;
  /** Whether it stands in the way of a release. */
  readonly failed: boolean;
}

export interface Evidence {
  readonly check: ResultFile | undefined;
  readonly test: ResultFile | undefined;
  /** Covered lines in percent. */
  readonly coveredPercent: number | undefined;
  readonly gate: readonly {
    name: string;
    counts: (Counts & { expectedLater: number }) | undefined;
  }[];
  readonly documents: readonly { path: string; present: boolean }[];
}

export const coverageGoalPercent = 85;

/** The report: every figure comes from the evidence; what was not measured earns nothing. */
export function readiness({ check, test, coveredPercent, gate, documents }: Evidence): Area[] {
  return [
    checks('Lint', 10, check, ['format', 'lint', 'architecture', 'boundaries', 'unused code']),
    checks('Types', 10, check, ['types of packages', 'types of apps', 'build']),
    tests(25, test),
    coverage(15, coveredPercent),
    gateArea(25, gate),
    checks('Packages', 10, check, ['packed packages', 'README snippets', 'install']),
    docs(5, documents),
  ];
}

function checks(
  name: string,
  outOf: number,
  check: ResultFile | undefined,
  names: readonly string[],
): Area {
  const steps = names.map((step) => ({
    step,
    state: check?.steps.find((one) => one.name === step)?.state ?? 'not run',
  }));
  const bad = steps.filter(({ state }) => state === 'failed' || state === 'not run');
  const skipped = steps.filter(({ state }) => state === 'skipped');
  const good = steps.length - bad.length - skipped.length;
  const notes = [...bad, ...skipped].map(({ step, state }) => `${step} ${state}`);
  return {
    name,
    result: [`${good} of ${steps.length} checks passed`, ...notes].join(', '),
    points: share(outOf, good, steps.length),
    outOf,
    failed: bad.length > 0,
  };
}

function tests(outOf: number, test: ResultFile | undefined): Area {
  if (test === undefined)
    return { name: 'Tests', result: 'not run', points: 0, outOf, failed: true };
  const { passed, failed, skipped } = test.counts;
  const green = failed === 0 && passed > 0;
  const runs = test.steps.map(({ name, state }) => `${name} ${state}`).join(', ');
  return {
    name: 'Tests',
    result: `${passed} passed, ${failed} failed, ${skipped} skipped (${runs})`,
    points: green ? outOf : 0,
    outOf,
    failed: !green,
  };
}

function coverage(outOf: number, percent: number | undefined): Area {
  if (percent === undefined)
    return { name: 'Coverage', result: 'not measured', points: 0, outOf, failed: true };
  const result = `${percent.toFixed(1)} % of lines, goal ${coverageGoalPercent} %`;
  return {
    name: 'Coverage',
    result,
    points: share(outOf, Math.min(percent, coverageGoalPercent), coverageGoalPercent),
    outOf,
    failed: false,
  };
}

function gateArea(outOf: number, gate: Evidence['gate']): Area {
  const parts = gate.map(({ name, counts }) => {
    if (counts === undefined) return { note: `${name} not run`, share: 0, failed: true };
    const { passed, failed, skipped, expectedLater } = counts;
    const later = expectedLater > 0 ? `, ${expectedLater} expected later` : '';
    const ran = passed + failed + skipped;
    return {
      note: `${name} ${passed} of ${ran} passed${later}`,
      share: failed === 0 && ran > 0 ? passed / ran : 0,
      failed: failed > 0 || passed === 0,
    };
  });
  const total = parts.reduce((sum, part) => sum + part.share, 0);
  return {
    name: 'Gate',
    result: parts.map(({ note }) => note).join('; '),
    points: share(outOf, total, parts.length),
    outOf,
    failed: parts.some(({ failed }) => failed),
  };
}

function docs(outOf: number, documents: Evidence['documents']): Area {
  const missing = documents.filter(({ present }) => !present).map(({ path }) => path);
  const result = [
    `${documents.length - missing.length} of ${documents.length} present`,
    ...missing.map((path) => `${path} is missing`),
  ].join(', ');
  return {
    name: 'Docs',
    result,
    points: share(outOf, documents.length - missing.length, documents.length),
    outOf,
    failed: missing.length > 0,
  };
}

function share(outOf: number, part: number, whole: number): number {
  return whole === 0 ? 0 : Math.round((outOf * part * 10) / whole) / 10;
}
