// Writes the rules and dashboards of docs/operations from the SLOs of apps/acceptance; with --check, fails when they are not current.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { dashboards } from '../packages/obs/src/slos/dashboards.ts';
import { rulesFile } from '../packages/obs/src/slos/rules.ts';
import type { Slo } from '../packages/obs/src/slos/slo.ts';
import { root } from './run-tool.ts';

const { slos } = (await import(join(root, 'apps/acceptance/src/slos.ts'))) as {
  slos: readonly Slo[];
};
const files = new Map<string, object>([['prometheus/rules.json', rulesFile({ slos })]]);
for (const [name, dashboard] of Object.entries(dashboards({ slos })))
  files.set(`grafana/${name}.json`, dashboard);

for (const [name, content] of files) {
  const path = join(root, 'docs/operations', name);
  const kept: unknown = existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : undefined;
  // How it is laid out is the formatter's affair.
  if (JSON.stringify(kept) === JSON.stringify(content)) continue;
  if (process.argv.includes('--check')) {
    console.log(
      `docs/operations/${name} is not what the SLOs say. Write it anew: node scripts/operations.ts`,
    );
    process.exitCode = 1;
  } else {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, `${JSON.stringify(content, undefined, 2)}\n`);
  }
}
