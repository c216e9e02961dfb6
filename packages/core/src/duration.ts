type Unit = 'ms' | 's' | 'm' | 'h' | 'd';

/** A span of time as people write it: `'250ms'`, `'30s'`, `'5m'`, `'12h'`, `'7d'`. */
export type Duration = `${number}${Unit}`;

const msPerUnit: Record<Unit, number> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** The duration in milliseconds. @throws {TypeError} when it is not a non-negative number with a unit. */
export function toMs(duration: Duration): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(duration);
  if (match === null)
    throw new TypeError("a duration is a number and a unit, such as '30s' or '5m'");
  return Number(match[1]) * msPerUnit[match[2] as Unit];
}
