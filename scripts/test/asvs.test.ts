import { describe, expect, it } from 'vitest';
import { asvsFaults, brokenLinks, testNames } from '../asvs.ts';

const tests = `
test('a code works once', async ({ db }) => {});
describe('a group', () => { it("says 'no'", () => {}); });
test.each([['x', 1]])('%s is %i', { timeout: 9 }, (_, n) => {});
databaseTest([migrations])(
  'in a table of its own',
  async ({ db }) => {},
);
for (const kind of kinds) test(\`of \${kind}\`, async () => {});
it.skip('not yet', () => {});
app.get('/path', () => {});
expect(await codeOf('a text')).toBe('another');
`;
const read = (path: string) => (path === 'packages/x/test/a.test.ts' ? tests : undefined);
const sections = { '6.5': 2 };
const met = (name: string, path = 'packages/x/test/a.test.ts') => `Met: \`${path}\` › \`${name}\`.`;
const page = (first: string, second: string, counts = [1, 0, 1, 0, 0]) =>
  [
    ['Met', 'Documented', "Host's duty", 'Not applicable', 'Not met']
      .map((verdict, at) => `${verdict}: ${counts[at]}`)
      .join(' · '),
    `- **6.5.1** (L2) Once. ${first}`,
    `- **6.5.2** (L2) Hashed. ${second}`,
  ].join('\n');

describe('the names of the tests of a file', () => {
  it('are found as they are written, and neither groups nor skipped tests are', () => {
    expect(testNames(tests)).toEqual([
      'a code works once',
      "says 'no'",
      '%s is %i',
      'in a table of its own',
      'of ${kind}',
    ]);
  });
});

describe('the ASVS matrix', () => {
  const duty = "Host's duty: do it.";
  it('is in order when every item has an answer and every test is there', () => {
    expect(asvsFaults(page(met('a code works once'), duty), read, sections)).toEqual([]);
  });

  it('is not when a test or its file is gone, or was skipped', () => {
    for (const first of [met('a code works twice'), met('not yet'), met('x', 'x.test.ts')])
      expect(asvsFaults(page(first, duty), read, sections)).toHaveLength(1);
  });

  it('is not when an item is met by nothing, has no answer, is missing, or stands there twice', () => {
    expect(asvsFaults(page('Met: surely.', duty), read, sections)).toEqual([
      '6.5.1: no test shows it.',
    ]);
    expect(asvsFaults(page('We do.', duty, [0, 0, 1, 0, 0]), read, sections)).toHaveLength(1);
    const whole = page(met('a code works once'), duty);
    expect(asvsFaults(whole, read, { '6.5': 3 })).toEqual(['6.5.3 is missing.']);
    expect(asvsFaults(whole, read, { '6.5': 1 })).toHaveLength(1);
  });

  it('is not when its summary counts wrongly', () => {
    const wrong = page(met('a code works once'), duty, [2, 0, 0, 0, 0]);
    expect(asvsFaults(wrong, read, sections)).toHaveLength(1);
  });

  it('is not when a link leads nowhere', () => {
    const links = '[a](here.md#part) [b](gone.md) [c](https://example.com) [d](#below)';
    expect(brokenLinks(links, (target) => target === 'here.md')).toEqual([
      'The link to gone.md leads nowhere.',
    ]);
  });
});
