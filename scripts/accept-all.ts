import { gateRuns, readGateResult, totalLine } from './result-file.ts';
import { inWords, runTool } from './run-tool.ts';

// Both stacks on both runtimes, one after the other; none hides another's failure.
const lines: string[] = [];
for (const { name, stack, runtime } of gateRuns) {
  console.log(`\n${stack} on ${runtime}`);
  const startedAtMs = Date.now();
  const args = [
    'apps/acceptance/gate/main.ts',
    '--stack',
    stack,
    '--runtime',
    runtime,
    ...process.argv.slice(2),
  ];
  const { exitCode, tookMs } = await runTool(process.execPath, args, { shown: true });
  const result = readGateResult(name);
  const wrote = result !== undefined && result.writtenAtMs >= startedAtMs - 1000;
  lines.push(
    `${name.padEnd(14)} ${exitCode === 0 ? 'passed' : 'FAILED'}  ${wrote ? totalLine(result.counts) : 'no result'}, ${inWords(tookMs)}`,
  );
  if (exitCode !== 0 || !wrote) process.exitCode = 1;
}
console.log(`\n${lines.join('\n')}`);
