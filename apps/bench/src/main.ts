import { cpus } from 'node:os';
import { startPostgres } from '@svc/db/testing';
import { type BenchArguments, parseBenchArguments, usage } from './arguments.ts';
import { type Benchmark, WrongAnswer } from './benchmark.ts';
import { benchmarks } from './benchmarks.ts';
import { type BenchmarkResult, measure } from './measure.ts';
import { resultText } from './table.ts';

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  let benchArguments: BenchArguments | 'help';
  try {
    benchArguments = parseBenchArguments(
      argv,
      benchmarks.map(({ name }) => name),
    );
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${usage}`);
    return 2;
  }
  if (benchArguments === 'help') {
    console.log(usage);
    return 0;
  }
  const { only, json } = benchArguments;
  const processors = cpus();
  const machine = `${processors.length} × ${processors[0]?.model ?? 'unknown'}, Node ${process.versions.node}`;
  console.error(machine);
  const results: BenchmarkResult[] = [];
  for (const benchmark of benchmarks) {
    if (only.length > 0 && !only.includes(benchmark.name)) continue;
    try {
      const result = await runOne(benchmark, benchArguments);
      results.push(result);
      if (!json) console.log(`\n${resultText(result)}`);
    } catch (error) {
      if (!(error instanceof WrongAnswer)) throw error;
      console.error(`\n${benchmark.name} FAILED: ${error.message}`);
      return 1;
    }
  }
  if (json) console.log(JSON.stringify({ machine, results }, undefined, 2));
  return 0;
}

async function runOne(
  benchmark: Benchmark,
  { rounds, durationMs }: BenchArguments,
): Promise<BenchmarkResult> {
  console.error(`\n${benchmark.name}: preparing`);
  await using server = await startPostgres({ durable: benchmark.durable ?? false });
  await using prepared = await benchmark.prepare(server);
  return await measure(benchmark, prepared.variants, {
    rounds,
    durationMs,
    onRound: (round) =>
      console.error(`${benchmark.name}: ${round === 0 ? 'warm-up' : `round ${round}/${rounds}`}`),
  });
}
