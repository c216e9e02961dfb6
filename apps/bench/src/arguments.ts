import { parseArgs } from 'node:util';

export interface BenchArguments {
  /** Names of benchmarks; empty for all. */
  readonly only: readonly string[];
  /** Whether the results are written as JSON instead of tables. */
  readonly json: boolean;
  readonly rounds: number;
  readonly durationMs: number;
}

export const usage = `Usage: pnpm bench [options]

  --only session-check,…   some of the benchmarks
  --rounds 5               rounds that count, after one that warms up
  --seconds 1.5            how long a variant runs in a round
  --json                   results as JSON on stdout (pnpm --silent bench --json)
  --help                   this text
`;

/** The benchmarks' arguments. @throws {TypeError} saying what is wrong with them */
export function parseBenchArguments(
  argv: readonly string[],
  names: readonly string[],
): BenchArguments | 'help' {
  const { values } = parseArgs({
    args: argv.filter((argument) => argument !== '--'),
    options: {
      only: { type: 'string', default: '' },
      rounds: { type: 'string', default: '5' },
      seconds: { type: 'string', default: '1.5' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return 'help';
  const only = values.only.split(',').filter((name) => name !== '');
  const unknown = only.filter((name) => !names.includes(name));
  if (unknown.length > 0) throw new TypeError(`--only takes ${names.join(', ')}`);
  const rounds = Number(values.rounds);
  if (!Number.isInteger(rounds) || rounds < 1) throw new TypeError('--rounds takes 1 or more');
  const durationMs = Number(values.seconds) * 1000;
  if (!(durationMs > 0)) throw new TypeError('--seconds takes a number above 0');
  return { only, json: values.json, rounds, durationMs };
}
