// Holds docs/security/asvs.md to what is there: every item of its sections, and every test and page that it names.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { root } from './run-tool.ts';

/** How many items OWASP ASVS 5.0 has in each section that the page answers for. */
export const asvsSections: Readonly<Record<string, number>> = {
  '3.3': 5,
  '3.5': 8,
  '6.1': 3,
  '6.2': 12,
  '6.3': 8,
  '6.4': 6,
  '6.5': 8,
  '6.6': 4,
  '6.7': 2,
  '6.8': 4,
  '7.1': 3,
  '7.2': 4,
  '7.3': 2,
  '7.4': 5,
  '7.5': 3,
  '7.6': 2,
  '9.1': 3,
  '9.2': 4,
  '10.1': 2,
  '10.2': 3,
  '10.3': 5,
  '10.5': 5,
};

const verdicts = ['Met', 'Documented', "Host's duty", 'Not applicable', 'Not met'] as const;
type Verdict = (typeof verdicts)[number];

const testReference = /`([^`]+\.test\.ts)` › `([^`]+)`/g;

/** Reads a file by its path from the root; `undefined` where there is none. */
export type ReadFile = (path: string) => string | undefined;

/** What is wrong with the page: items that are missing, twice, or without an answer, and names of nothing. */
export function asvsFaults(
  page: string,
  read: ReadFile,
  sections: Readonly<Record<string, number>> = asvsSections,
): string[] {
  const items = [...page.matchAll(/^- \*\*([\d.]+)\*\* \(L[123]\) (.+)$/gm)].map(
    ([, number = '', text = '']) => ({ number, text }),
  );
  const faults = missingFaults(
    items.map(({ number }) => number),
    sections,
  );
  const counts = new Map<Verdict, number>();
  for (const { number, text } of items) {
    const verdict = verdicts.find((each) => text.includes(` ${each}: `));
    if (verdict === undefined) faults.push(`${number}: none of ${verdicts.join(', ')}.`);
    else counts.set(verdict, (counts.get(verdict) ?? 0) + 1);
    if (verdict === 'Met' && text.search(testReference) < 0)
      faults.push(`${number}: no test shows it.`);
    if (verdict === 'Documented' && !/\]\([^)]+\)/.test(text))
      faults.push(`${number}: no link to where.`);
  }
  for (const [, path = '', name = ''] of page.matchAll(testReference))
    faults.push(...testFaults(path, name, read));
  const summary = verdicts.map((each) => `${each}: ${counts.get(each) ?? 0}`).join(' · ');
  if (!page.includes(summary)) faults.push(`The summary must say: ${summary}`);
  return faults;
}

function missingFaults(
  found: readonly string[],
  sections: Readonly<Record<string, number>>,
): string[] {
  const expected = Object.entries(sections).flatMap(([section, count]) =>
    Array.from({ length: count }, (_, index) => `${section}.${index + 1}`),
  );
  return [
    ...expected
      .filter((number) => !found.includes(number))
      .map((number) => `${number} is missing.`),
    ...found
      .filter((number, at) => !expected.includes(number) || found.indexOf(number) !== at)
      .map((number) => `${number} is no item, or stands there twice.`),
  ];
}

function testFaults(path: string, name: string, read: ReadFile): string[] {
  const source = read(path);
  if (source === undefined) return [`There is no ${path}.`];
  return testNames(source).includes(name) ? [] : [`${path} has no test '${name}'.`];
}

/**
 * The names of the tests of a file as they are written there, also those with a placeholder: texts that are given to a
 * function together with another function. Tests that are skipped, and groups of tests, are none.
 */
export function testNames(source: string): string[] {
  const call =
    /([\w.]*)(?:<[^()]*>)?(\))?\(\s*(?:'((?:\\.|[^'\\\n])*)'|"((?:\\.|[^"\\\n])*)"|`((?:\\.|[^`\\])*)`),\s*(?:\{[^{}]*\},\s*)?(?:async\s*)?(?:\(|function\b|[a-z]\w* =>)/gi;
  return (
    [...source.matchAll(call)]
      // `test('…'` and `test.each(table)('…'`; `app.get('/…'` and `describe('…'` are something else.
      .filter(([, callee = '', table]) => table !== undefined || /^(?!describe)\w+$/.test(callee))
      .map(([, , , single, double, template]) =>
        (single ?? double ?? template ?? '').replaceAll(/\\(['"`\\])/g, '$1'),
      )
  );
}

/** Links to files that do not exist. */
export function brokenLinks(page: string, exists: (target: string) => boolean): string[] {
  return [...page.matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g)]
    .map(([, target = '']) => target)
    .filter((target) => !exists(target))
    .map((target) => `The link to ${target} leads nowhere.`);
}

if (import.meta.main) {
  const path = 'docs/security/asvs.md';
  const read: ReadFile = (file) =>
    existsSync(join(root, file)) ? readFileSync(join(root, file), 'utf8') : undefined;
  const page = read(path) ?? '';
  const faults = [
    ...asvsFaults(page, read),
    ...brokenLinks(page, (target) => existsSync(join(root, dirname(path), target))),
  ];
  for (const fault of faults) console.log(`${path}: ${fault}`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
