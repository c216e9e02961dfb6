import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  type Counts,
  reportsFolder,
  type StepResult,
  sum,
  totalLine,
  writeResult,
} from './result-file.ts';
import { inWords, root, runTool } from './run-tool.ts';

interface Run {
  readonly name: string;
  /** The Node that npm installed under this name. */
  readonly alias: string;
  readonly args: readonly string[];
}

const given = process.argv.slice(2).filter((argument) => argument !== '--');
const withCoverage = given.includes('--coverage') || Boolean(process.env['CI']);
const passed = given.filter((argument) => argument !== '--coverage');
const runs: Run[] = [
  { name: 'Node 24', alias: 'node', args: withCoverage ? ['--coverage'] : [] },
  // The scripts are ours to run, on Node 24; types are the same on every runtime.
  {
    name: 'Node 22',
    alias: 'node22',
    args: ['--exclude', 'scripts/**', '--typecheck.enabled=false'],
  },
];

async function run({ name, alias, args }: Run): Promise<StepResult> {
  const node = join(root, 'node_modules', alias, 'bin', 'node');
  if (!existsSync(node)) {
    // Silence in CI would mean that the packages' promise about Node 22 is no longer tested.
    return {
      name,
      state: process.env['CI'] ? 'failed' : 'skipped',
      tookMs: 0,
      reason: `${node} is missing: its install script did not run on this platform`,
    };
  }
  const file = join(reportsFolder, `vitest-${alias}.json`);
  rmSync(file, { force: true });
  console.log(`\n${name} (${(await runTool(node, ['--version'])).output})`);
  const options = ['--reporter=default', '--reporter=json', `--outputFile.json=${file}`];
  const { exitCode, tookMs } = await runTool(
    node,
    ['node_modules/vitest/vitest.mjs', 'run', ...options, ...args, ...passed],
    { shown: true },
  );
  const counts = countsOf(file);
  // An error outside of any test (an unhandled rejection, a file that does not load) fails the run too.
  if (exitCode !== 0 && counts.failed === 0) counts.failed = 1;
  return {
    name,
    state: counts.failed > 0 ? 'failed' : 'passed',
    tookMs: Math.round(tookMs),
    counts,
  };
}

function countsOf(file: string): Counts {
  if (!existsSync(file)) return { passed: 0, failed: 0, skipped: 0 };
  const report = JSON.parse(readFileSync(file, 'utf8')) as Record<string, number>;
  return {
    passed: report['numPassedTests'] ?? 0,
    failed: report['numFailedTests'] ?? 0,
    skipped: (report['numPendingTests'] ?? 0) + (report['numTodoTests'] ?? 0),
  };
}

mkdirSync(reportsFolder, { recursive: true });
const steps: StepResult[] = [];
for (const one of runs) steps.push(await run(one));
const counts = sum(
  steps.map(
    (step) =>
      step.counts ?? {
        passed: 0,
        failed: Number(step.state === 'failed'),
        skipped: Number(step.state === 'skipped'),
      },
  ),
);
writeResult('test', { args: withCoverage ? [...passed, '--coverage'] : passed, counts, steps });
console.log('');
for (const { name, state, counts: own, reason, tookMs } of steps)
  console.log(
    `${name}: ${own === undefined ? `${state}: ${reason}` : totalLine(own)}, ${inWords(tookMs)}`,
  );
console.log(`Tests: ${totalLine(counts)}`);
process.exitCode = counts.failed > 0 ? 1 : 0;
