// Writes docs/acceptance-matrix.md from the registry of scenarios; with --check, fails when it is not current.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { registry } from '../apps/acceptance/scenarios/registry.ts';

const file = join(import.meta.dirname, '../docs/acceptance-matrix.md');
const rows = registry.map(({ id, title, state, needs = [], only }) => {
  const where = only === undefined ? 'every stack' : `\`${only.stack}\` only: ${only.reason}`;
  const cells =
    state === 'later' ? ['expected later', '', ''] : ['present', where, needs.join(', ')];
  return `| ${[id, title, ...cells].join(' | ')} |`;
});
const count = (state: string) => registry.filter((entry) => entry.state === state).length;
const text = `# The acceptance matrix

Generated from \`apps/acceptance/scenarios/registry.ts\`; do not edit. ${count('present')} scenarios are present, ${count('later')} are expected later.
What a scenario needs, a deployed app (\`pnpm accept --url\`) does not offer; there it is reported as not applicable, with that reason.

| A-ID | scenario | state | where | needs |
| --- | --- | --- | --- | --- |
${rows.join('\n')}
`;

if (!process.argv.includes('--check')) writeFileSync(file, text);
else if (readFileSync(file, 'utf8') !== text) {
  console.error(
    'docs/acceptance-matrix.md is not current: run `node scripts/acceptance-matrix.ts`',
  );
  process.exit(1);
}
