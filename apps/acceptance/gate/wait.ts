import { setTimeout as sleep } from 'node:timers/promises';

/** Asks again every 25 ms until the answer is not `undefined`. @throws {Error} saying what was waited for, after `timeoutMs` */
export async function waitFor<T>(
  what: string,
  timeoutMs: number,
  ask: () => Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  let lastError: unknown;
  while (performance.now() < deadline) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
    } catch (error) {
      lastError = error;
    }
    await sleep(25);
  }
  throw new Error(`waited ${timeoutMs / 1000} s in vain for ${what}`, { cause: lastError });
}
