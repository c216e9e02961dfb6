import { describe, expect, it } from 'vitest';
import { type Evidence, readiness } from '../readiness.ts';

const stamp = { commit: 'c', digest: 'd' };
const names = [
  'format',
  'lint',
  'architecture',
  'boundaries',
  'unused code',
  'types of packages',
  'types of apps',
  'build',
  'packed packages',
  'README snippets',
  'install',
];
const evidence: Evidence = {
  check: {
    stamp,
    finishedAt: '',
    args: [],
    counts: { passed: 11, failed: 0, skipped: 0 },
    steps: names.map((name) => ({ name, state: 'passed', tookMs: 1 })),
  },
  test: {
    stamp,
    finishedAt: '',
    args: [],
    counts: { passed: 9, failed: 0, skipped: 0 },
    steps: [],
  },
  coveredPercent: 91,
  gate: [{ name: 'embedded-node', counts: { passed: 4, failed: 0, skipped: 0, expectedLater: 2 } }],
  documents: [{ path: 'README.md', present: true }],
};
const points = (changed: Partial<Evidence>) =>
  readiness({ ...evidence, ...changed }).reduce((sum, area) => sum + area.points, 0);
const failing = (changed: Partial<Evidence>) =>
  readiness({ ...evidence, ...changed })
    .filter(({ failed }) => failed)
    .map(({ name }) => name);

describe('the readiness report', () => {
  it('gives all points when everything passed', () => {
    expect(points({})).toBe(100);
    expect(failing({})).toEqual([]);
  });

  it('gives nothing for what was not run, and fails', () => {
    expect(
      failing({
        check: undefined,
        test: undefined,
        coveredPercent: undefined,
        gate: [{ name: 'a', counts: undefined }],
      }),
    ).toEqual(['Lint', 'Types', 'Tests', 'Coverage', 'Gate', 'Packages']);
    expect(
      points({
        check: undefined,
        test: undefined,
        coveredPercent: undefined,
        gate: [{ name: 'a', counts: undefined }],
      }),
    ).toBe(5);
  });

  it('fails on one failed test or scenario', () => {
    const gate = [{ name: 'a', counts: { passed: 4, failed: 1, skipped: 0, expectedLater: 0 } }];
    expect(failing({ gate })).toEqual(['Gate']);
    const test = evidence.test && {
      ...evidence.test,
      counts: { passed: 9, failed: 1, skipped: 0 },
    };
    expect(failing({ test })).toEqual(['Tests']);
  });

  it('never shows what is expected later as passed', () => {
    expect(readiness(evidence).find(({ name }) => name === 'Gate')?.result).toBe(
      'embedded-node 4 of 4 passed, 2 expected later',
    );
  });

  it('takes points for coverage below the goal', () =>
    expect(points({ coveredPercent: 42.5 })).toBe(92.5));
});
