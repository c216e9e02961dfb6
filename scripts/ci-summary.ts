import {
  type Counts,
  gateRuns,
  readGateResult,
  readResult,
  sum,
  totalLine,
} from './result-file.ts';

// The last line of .ci/run. Given the steps' exit codes (`check=0 test=1 …`); a step that failed without
// leaving a failed result counts as one failure, so that nothing is lost when a step breaks early.

const exitCodes = new Map(
  process.argv.slice(2).map((argument) => argument.split('=') as [string, string]),
);
const results: [step: string, counts: Counts][] = [
  ['check', readResult('check')?.counts ?? nothing()],
  ['test', readResult('test')?.counts ?? nothing()],
  [
    'accept',
    sum(gateRuns.map(({ name }) => readGateResult(name)?.counts ?? { ...nothing(), failed: 1 })),
  ],
];
for (const [step, code] of exitCodes) {
  // The report fails when anything before it did: that is counted already.
  if (step === 'report' && sum(results.map(([, counts]) => counts)).failed > 0) continue;
  const counts = results.find(([name]) => name === step)?.[1];
  if (code !== '0' && (counts === undefined || counts.failed === 0))
    results.push([step, { ...nothing(), failed: 1 }]);
}
const total = sum(results.map(([, counts]) => counts));
console.log(totalLine(total));
process.exitCode = total.failed > 0 ? 1 : 0;

function nothing(): Counts {
  return { passed: 0, failed: 0, skipped: 0 };
}
