import { systemClock } from '@svc/core';
import type { Sample } from './benchmark.ts';

const elapsed = () => systemClock.elapsedMs();

/** Keeps so many operations in flight for a time; `operation` gets their numbers. */
export async function keepInFlight(
  { inFlight, durationMs }: { inFlight: number; durationMs: number },
  operation: (number: number) => Promise<void>,
): Promise<Sample> {
  const latenciesMs: number[] = [];
  let started = 0;
  const startedAt = elapsed();
  const worker = async () => {
    for (let now = startedAt; now - startedAt < durationMs;) {
      const number = started++;
      await operation(number);
      const end = elapsed();
      latenciesMs.push(end - now);
      now = end;
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return { operations: latenciesMs.length, elapsedMs: elapsed() - startedAt, latenciesMs };
}

/**
 * Starts an operation every so many milliseconds until `until` settles. Times count from when an operation was due:
 * one that a busy process starts late has waited (G. Tene, "How NOT to Measure Latency", on coordinated omission).
 */
export async function atSteadyRate(
  { everyMs, until }: { everyMs: number; until: Promise<unknown> },
  operation: (number: number) => Promise<void>,
): Promise<Sample> {
  const latenciesMs: number[] = [];
  const running: Promise<void>[] = [];
  let over = false;
  const end = until.finally(() => (over = true));
  const startedAt = elapsed();
  for (let number = 0; !over; number += 1) {
    const dueAt = startedAt + number * everyMs;
    const aheadMs = dueAt - elapsed();
    if (aheadMs > 0) await systemClock.sleep(aheadMs);
    running.push(operation(number).then(() => void latenciesMs.push(elapsed() - dueAt)));
  }
  await Promise.all([...running, end]);
  return { operations: latenciesMs.length, elapsedMs: elapsed() - startedAt, latenciesMs };
}

/** Takes one measurement after the other for a time; each answers its milliseconds. */
export async function oneAfterTheOther(
  durationMs: number,
  take: () => Promise<number>,
): Promise<Sample> {
  const latenciesMs: number[] = [];
  const startedAt = elapsed();
  while (elapsed() - startedAt < durationMs) latenciesMs.push(await take());
  return { operations: latenciesMs.length, elapsedMs: elapsed() - startedAt, latenciesMs };
}
