import { styleText } from 'node:util';
import { relative } from 'node:path';
import { registry } from '../scenarios/registry.ts';
import { type GateArguments, parseGateArguments, usage } from './arguments.ts';
import { buildPackages } from './build.ts';
import { writeReports } from './report/files.ts';
import { summaryText, terminalProgress } from './report/terminal.ts';
import { countStates } from './result.ts';
import { StackUnavailable } from './stacks/stack.ts';

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  let gateArguments: GateArguments | 'help';
  try {
    gateArguments = parseGateArguments(argv);
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    return 2;
  }
  if (gateArguments === 'help') {
    console.log(usage);
    return 0;
  }
  const { only } = gateArguments;
  const unknown = only.filter(
    (part) => !registry.some(({ id }) => id === part || id.startsWith(`${part}-`)),
  );
  if (unknown.length > 0) {
    console.error(`--only: the matrix has no ${unknown.join(', ')}\n\n${usage}`);
    return 2;
  }
  buildPackages();
  let failed = 0;
  for (const stack of gateArguments.stacks) {
    for (const runtime of gateArguments.runtimes)
      failed += await runOne(gateArguments, stack, runtime);
  }
  return failed === 0 ? 0 : 1;
}

async function runOne(
  { url, only }: GateArguments,
  stack: GateArguments['stacks'][number],
  runtime: GateArguments['runtimes'][number],
): Promise<number> {
  // Only now: these modules need the packages built.
  const { runGate } = await import('./run-gate.ts');
  console.log(
    styleText(
      'bold',
      url === undefined ? `\nsvc gate: ${stack} on ${runtime}` : `\nsvc gate: ${url}`,
    ),
  );
  let stop: () => Promise<unknown> = async () => undefined;
  const interrupted = (signal: NodeJS.Signals) => {
    console.log(`\n  ${signal}: tearing down`);
    void stop().finally(() => process.exit(signal === 'SIGINT' ? 130 : 143));
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  try {
    const result = await runGate({
      stack,
      runtime,
      url,
      only,
      progress: terminalProgress(),
      onBooted: (stopAll) => (stop = stopAll),
    });
    const page = writeReports(result);
    console.log(`${summaryText(result)}\n  report: ${relative(process.cwd(), page)}`);
    return countStates(result.scenarios).failed;
  } catch (error) {
    if (!(error instanceof StackUnavailable) || process.env['CI'] === 'true') throw error;
    console.log(`  ${styleText('yellow', 'skipped')}: ${error.message}`);
    return 0;
  } finally {
    process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
  }
}
