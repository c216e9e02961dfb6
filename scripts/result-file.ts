import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run-tool.ts';
import { type SourceStamp, sourceStamp } from './source-stamp.ts';

export interface Counts {
  passed: number;
  failed: number;
  skipped: number;
}

/** One step of `pnpm check`, or one run of `pnpm test`. */
export interface StepResult {
  readonly name: string;
  readonly state: 'passed' | 'failed' | 'skipped';
  readonly tookMs: number;
  /** Why it was skipped. */
  readonly reason?: string;
  readonly counts?: Counts;
}

/** What `pnpm check` and `pnpm test` leave in `reports/`. */
export interface ResultFile {
  readonly stamp: SourceStamp;
  readonly finishedAt: string;
  /** What was asked for on the command line; a narrowed run is not a full one. */
  readonly args: readonly string[];
  readonly counts: Counts;
  readonly steps: readonly StepResult[];
}

export const reportsFolder = join(root, 'reports');

export function writeResult(
  name: string,
  result: Omit<ResultFile, 'stamp' | 'finishedAt'>,
  folder = reportsFolder,
): void {
  mkdirSync(folder, { recursive: true });
  const file: ResultFile = {
    stamp: sourceStamp(),
    finishedAt: new Date().toISOString(),
    ...result,
  };
  writeFileSync(join(folder, `${name}.json`), `${JSON.stringify(file, undefined, 2)}\n`);
}

export function readResult(name: string, folder = reportsFolder): ResultFile | undefined {
  const path = join(folder, `${name}.json`);
  return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as ResultFile) : undefined;
}

/** A result of a full run of the sources as they are now. */
export function currentResult(
  name: string,
  stamp: SourceStamp,
  folder = reportsFolder,
): ResultFile | undefined {
  const result = readResult(name, folder);
  const full = result?.args.every((arg) => arg === '--coverage') === true;
  return full && result.stamp.digest === stamp.digest ? result : undefined;
}

export const stacks = ['embedded', 'pg-redis'] as const;
export const runtimes = ['node', 'bun'] as const;

/** The four ways in which the gate is run: `embedded-node` and so on. */
export const gateRuns = stacks.flatMap((stack) =>
  runtimes.map((runtime) => ({ name: `${stack}-${runtime}`, stack, runtime })),
);

export interface GateResult {
  readonly counts: Counts;
  readonly expectedLater: number;
  /** When the run began, in milliseconds since the epoch. */
  readonly startedAtMs: number;
}

/** What the gate left for one stack and runtime: it writes `counts`, or only its `scenarios` with a `state` each. */
export function readGateResult(run: string, folder = reportsFolder): GateResult | undefined {
  const path = join(folder, `gate-${run}.json`);
  if (!existsSync(path)) return undefined;
  const file = JSON.parse(readFileSync(path, 'utf8')) as {
    startedAt?: string;
    counts?: Partial<Counts> & { expectedLater?: number };
    scenarios?: readonly { state: string }[];
  };
  const having = (pattern: RegExp) =>
    file.scenarios?.filter(({ state }) => pattern.test(state)).length ?? 0;
  return {
    counts: {
      passed: file.counts?.passed ?? having(/^pass/),
      failed: file.counts?.failed ?? having(/^fail/),
      skipped: file.counts?.skipped ?? having(/^skip|^not.applicable/),
    },
    expectedLater: file.counts?.expectedLater ?? having(/^later|^expected/),
    startedAtMs: file.startedAt === undefined ? statSync(path).mtimeMs : Date.parse(file.startedAt),
  };
}

export function sum(all: readonly Counts[]): Counts {
  const total: Counts = { passed: 0, failed: 0, skipped: 0 };
  for (const counts of all) {
    total.passed += counts.passed;
    total.failed += counts.failed;
    total.skipped += counts.skipped;
  }
  return total;
}

/** `12 passed, 0 failed, 1 skipped` */
export function totalLine({ passed, failed, skipped }: Counts): string {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}
