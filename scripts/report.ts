import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Area, readiness } from './readiness.ts';
import {
  currentResult,
  type GateResult,
  gateRuns,
  readGateResult,
  reportsFolder,
} from './result-file.ts';
import { root, runTool } from './run-tool.ts';
import { newestSourceMs, type SourceStamp, sourceStamp } from './source-stamp.ts';
import { filesBelow, members } from './workspace.ts';

// `pnpm report`: what was found out about these very sources. What has not been run yet is run; --fresh runs all of it.

const fresh = process.argv.includes('--fresh');
const runScript = (file: string, ...args: string[]) =>
  runTool(process.execPath, [file, ...args], { shown: true });

async function gather(stamp: SourceStamp) {
  if (fresh || currentResult('check', stamp) === undefined) await runScript('scripts/check.ts');
  if (fresh || currentResult('test', stamp)?.args.includes('--coverage') !== true)
    await runScript('scripts/test.ts', '--coverage');
  if (existsSync(join(root, 'apps/acceptance/gate/main.ts'))) {
    for (const { name, stack, runtime } of gateRuns) {
      if (fresh || currentGate(name, stamp) === undefined)
        await runScript('apps/acceptance/gate/main.ts', '--stack', stack, '--runtime', runtime);
    }
  }
  return {
    check: currentResult('check', stamp),
    test: currentResult('test', stamp),
    coveredPercent: coveredPercent(),
    gate: gateRuns.map(({ name }) => ({ name, counts: countsOf(currentGate(name, stamp)) })),
    documents: documents(),
  };
}

/** The gate's result, unless a source file is younger than it. */
function currentGate(name: string, stamp: SourceStamp): GateResult | undefined {
  const result = readGateResult(name);
  const current =
    result !== undefined && stamp.commit !== 'unknown' && result.startedAtMs >= newestSourceMs();
  return current ? result : undefined;
}

function countsOf(result: GateResult | undefined) {
  return result === undefined
    ? undefined
    : { ...result.counts, expectedLater: result.expectedLater };
}

function coveredPercent(): number | undefined {
  const path = join(root, 'coverage/coverage-summary.json');
  if (!existsSync(path)) return undefined;
  return (JSON.parse(readFileSync(path, 'utf8')) as { total: { lines: { pct: number } } }).total
    .lines.pct;
}

function documents() {
  const wanted = [
    'README.md',
    'CONTRIBUTING.md',
    'docs/getting-started.md',
    'docs/acceptance.md',
    'docs/acceptance-matrix.md',
    ...members('packages').map(({ path }) => `${path}/README.md`),
  ];
  const decisions = filesBelow(join(root, 'docs/decisions')).some((path) => path.endsWith('.md'));
  return [
    ...wanted.map((path) => ({ path, present: existsSync(join(root, path)) })),
    { path: 'docs/decisions/*.md', present: decisions },
  ];
}

function print(areas: readonly Area[]): void {
  for (const { name, result, points, outOf, failed } of areas) {
    console.log(
      `${failed ? '✗' : '✓'} ${name.padEnd(9)} ${`${points}`.padStart(4)} / ${`${outOf}`.padStart(3)}   ${result}`,
    );
  }
}

const stamp = sourceStamp();
const areas = readiness(await gather(stamp));
const points = Math.round(areas.reduce((sum, area) => sum + area.points, 0) * 10) / 10;
const outOf = areas.reduce((sum, area) => sum + area.outOf, 0);
const ready = areas.every(({ failed }) => !failed);
console.log('\nProduction readiness\n');
print(areas);
console.log(`\n${points} of ${outOf} points: ${ready ? 'ready' : 'not ready'}`);
mkdirSync(reportsFolder, { recursive: true });
writeFileSync(
  join(reportsFolder, 'readiness.json'),
  `${JSON.stringify({ stamp, points, outOf, ready, areas, reports: readdirSync(reportsFolder).sort() }, undefined, 2)}\n`,
);
process.exitCode = ready ? 0 : 1;
