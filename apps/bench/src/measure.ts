import type { Benchmark, Goal, Sample, Variant } from './benchmark.ts';
import { quantile, type Spread, spreadOf } from './statistics.ts';

/** The figures of one variant in one round. */
export interface Figures {
  /** Operations per second. */
  readonly rate: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export interface VariantResult {
  readonly name: string;
  readonly rounds: readonly Figures[];
  readonly rate: Spread;
  readonly p50Ms: Spread;
  readonly p99Ms: Spread;
  /** Its rate divided by the reference's of the same round. */
  readonly ratio: Spread;
  /** Answers that were checked, in all rounds. */
  readonly checked: number;
}

export interface GoalResult extends Goal {
  readonly measured: Spread;
  readonly met: boolean;
}

export interface BenchmarkResult {
  readonly name: string;
  readonly summary: string;
  readonly reference: string;
  readonly variants: readonly VariantResult[];
  readonly goals: readonly GoalResult[];
}

export interface Plan {
  /** Rounds that count; one more before them warms up. */
  readonly rounds: number;
  /** Of one variant in one round. */
  readonly durationMs: number;
  readonly onRound?: (round: number) => void;
}

/**
 * Runs all variants in every round, in turn forwards and backwards: what changes on the machine meanwhile meets each
 * alike, and a ratio is taken within a round.
 */
export async function measure(
  { name, summary, reference, goals }: Benchmark,
  variants: readonly Variant[],
  { rounds, durationMs, onRound }: Plan,
): Promise<BenchmarkResult> {
  const samples = new Map<string, Sample[]>(variants.map((variant) => [variant.name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    onRound?.(round);
    for (const variant of round % 2 === 0 ? variants : variants.toReversed()) {
      const sample = await variant.run(durationMs);
      if (round > 0) samples.get(variant.name)?.push(sample);
    }
  }
  const figures = new Map([...samples].map(([each, taken]) => [each, taken.map(toFigures)]));
  const of = (variant: string) => {
    const found = figures.get(variant);
    if (found === undefined) throw new TypeError(`${name} has no variant "${variant}"`);
    return found;
  };
  return {
    name,
    summary,
    reference,
    variants: variants.map((variant) => ({
      name: variant.name,
      rounds: of(variant.name),
      rate: spreadOf(of(variant.name).map(({ rate }) => rate)),
      p50Ms: spreadOf(of(variant.name).map(({ p50Ms }) => p50Ms)),
      p99Ms: spreadOf(of(variant.name).map(({ p99Ms }) => p99Ms)),
      ratio: spreadOf(quotients(of(variant.name), of(reference), 'rate')),
      checked: (samples.get(variant.name) ?? []).reduce((sum, each) => sum + each.operations, 0),
    })),
    goals: goals.map((goal) => judge(goal, of)),
  };
}

function judge(goal: Goal, of: (variant: string) => readonly Figures[]): GoalResult {
  const { variant, figure, dividedBy, atLeast = -Infinity, atMost = Infinity } = goal;
  const values =
    dividedBy === undefined
      ? of(variant).map((each) => each[figure])
      : quotients(of(variant), of(dividedBy), figure);
  const measured = spreadOf(values);
  return { ...goal, measured, met: measured.median >= atLeast && measured.median <= atMost };
}

function quotients(
  these: readonly Figures[],
  those: readonly Figures[],
  figure: keyof Figures,
): number[] {
  return these.map((each, round) => each[figure] / (those[round]?.[figure] ?? Number.NaN));
}

function toFigures({ operations, elapsedMs, latenciesMs }: Sample): Figures {
  return {
    rate: (operations * 1000) / elapsedMs,
    p50Ms: quantile(latenciesMs, 0.5),
    p99Ms: quantile(latenciesMs, 0.99),
  };
}
