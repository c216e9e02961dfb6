import { commonPasswords } from './common-passwords.ts';

/**
 * Whether a password is among the first guesses (NIST SP 800-63B-4 3.1.1.2, ASVS 5.0 6.2.4): a common
 * one in any case, one between digits and signs, something shorter than `minLength` code points over
 * and over, or for more than half a run along the alphabet, the digits or a row of keys.
 */
export function isCommonPassword(password: string, minLength: number): boolean {
  const folded = password.toLowerCase();
  // From the first letter to the last one.
  const core = /\p{L}.*\p{L}/su.exec(folded)?.[0];
  if (isListed(folded) || (core !== undefined && isListed(core))) return true;
  const points = [...folded];
  const period = periodOf(points);
  const repeats = period < minLength && 3 * period <= 2 * points.length;
  return repeats || surprises(points) < minLength / 2;
}

// A scan takes about 10 µs; a set of these words would take a megabyte for as long as the process lives.
const list = ` ${commonPasswords.replaceAll('\n', ' ')} `;

function isListed(word: string): boolean {
  return !/\s/.test(word) && list.includes(` ${word} `);
}

/** The length of the shortest beginning that yields the whole when repeated, the last time perhaps in part. */
function periodOf(points: readonly string[]): number {
  // The failure function of Knuth, Morris and Pratt (1977): how long a border each beginning has.
  const borders = [0];
  for (let index = 1; index < points.length; index += 1) {
    let border = borders[index - 1] ?? 0;
    while (border > 0 && points[index] !== points[border]) border = borders[border - 1] ?? 0;
    borders.push(points[index] === points[border] ? border + 1 : 0);
  }
  return points.length - (borders.at(-1) ?? 0);
}

/** How many code points neither repeat the one before nor go on as the two before did. */
function surprises(points: readonly string[]): number {
  let count = 0;
  let former: readonly string[] = [];
  for (const [index, point] of points.entries()) {
    const previous = points[index - 1];
    if (point === previous) continue;
    const steps = previous === undefined ? [] : stepsBetween(previous, point);
    // A step may be one of the alphabet and one on the keys: `f` to `g`.
    const continued = steps.filter((step) => former.includes(step));
    if (continued.length === 0) count += 1;
    former = continued.length === 0 ? steps : continued;
  }
  return count;
}

const keyRows = ['12345678901', 'qwertyuiop', 'asdfghjkl', 'zxcvbnm', 'qwertzuiop', 'azertyuiop'];

function stepsBetween(from: string, to: string): string[] {
  const distance = (to.codePointAt(0) as number) - (from.codePointAt(0) as number);
  return [
    ...(Math.abs(distance) === 1 ? [`letter ${distance}`] : []),
    ...(keyRows.some((row) => row.includes(from + to)) ? ['key 1'] : []),
    ...(keyRows.some((row) => row.includes(to + from)) ? ['key -1'] : []),
  ];
}
