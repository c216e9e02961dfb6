import type { BenchmarkResult, GoalResult, VariantResult } from './measure.ts';
import type { Spread } from './statistics.ts';

/** A result for people. */
export function resultText(result: BenchmarkResult): string {
  const { name, summary, variants, goals } = result;
  const rows = [
    ['', 'per second', 'range', 'p50 ms', 'p99 ms', 'ratio', 'range'],
    ...variants.map((variant) => row(variant, result.reference)),
  ];
  const checked = variants.reduce((sum, variant) => sum + variant.checked, 0);
  return [
    `${name}: ${summary}`,
    '',
    ...columns(rows),
    '',
    ...goals.map(goalText),
    `  ${whole(checked)} answers checked, none was wrong.`,
  ].join('\n');
}

function row({ name, rate, p50Ms, p99Ms, ratio }: VariantResult, reference: string): string[] {
  const compared = name === reference ? ['1', ''] : [short(ratio.median), range(ratio, short)];
  return [
    name,
    whole(rate.median),
    range(rate, whole),
    short(p50Ms.median),
    short(p99Ms.median),
    ...compared,
  ];
}

function goalText({ variant, figure, dividedBy, atLeast, atMost, measured, met }: GoalResult) {
  const names = { rate: 'rate', p50Ms: 'p50 in ms', p99Ms: 'p99 in ms' };
  const subject = `${variant}, ${names[figure]}${dividedBy === undefined ? '' : ` over that of ${dividedBy}`}`;
  const wanted =
    atLeast === undefined ? `at most ${short(atMost ?? Number.NaN)}` : `at least ${short(atLeast)}`;
  return `  ${met ? 'met' : 'MISSED'}: ${subject}: ${short(measured.median)} (${range(measured, short)}), wanted ${wanted}`;
}

function columns(rows: readonly string[][]): string[] {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((cells) => cells[column]?.length ?? 0)),
  );
  return rows.map((cells) =>
    `  ${cells
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')}`.trimEnd(),
  );
}

const whole = (value: number) => Math.round(value).toLocaleString('en');
const short = (value: number) =>
  Number.isNaN(value) ? '–' : Math.abs(value) >= 100 ? whole(value) : value.toPrecision(3);
const range = ({ least, most }: Spread, write: (value: number) => string) =>
  `${write(least)}–${write(most)}`;
