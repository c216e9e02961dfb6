import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type StepResult, sum, totalLine, writeResult } from './result-file.ts';
import { inWords, root, runTool, type ToolResult } from './run-tool.ts';
import { members } from './workspace.ts';

interface Step {
  readonly name: string;
  readonly run: () => Promise<Pick<ToolResult, 'exitCode' | 'output'>>;
  /** Why it has nothing to do here. */
  readonly skip?: () => string | undefined;
}

const tool = (name: string, command: string, ...args: string[]): Step => ({
  name,
  run: () => runTool(command, args),
});
const script = (name: string, file: string, ...args: string[]): Step =>
  tool(name, process.execPath, join('scripts', file), ...args);

const steps: Step[] = [
  tool('format', 'oxfmt', '--check'),
  tool('lint', 'oxlint', '--deny-warnings'),
  script('architecture', 'architecture.ts'),
  tool('types of packages', 'tsc', '-p', 'tsconfig.json'),
  tool('build', 'turbo', 'run', 'build', '--output-logs=errors-only'),
  {
    name: 'types of apps',
    run: appTypes,
    skip: () => (appProjects().length === 0 ? 'there is no app yet' : undefined),
  },
  tool('boundaries', 'turbo', 'boundaries'),
  tool('unused code', 'knip', '--no-progress'),
  script('packed packages', 'packed-packages.ts'),
  script('README snippets', 'readme-snippets.ts'),
  script('install', 'install-test.ts'),
  {
    ...script('.env.example', 'env-example.ts', '--check'),
    skip: () => missing('apps/acceptance/src/settings.ts'),
  },
  {
    ...script('acceptance matrix', 'acceptance-matrix.ts', '--check'),
    skip: () => missing('scripts/acceptance-matrix.ts'),
  },
  {
    ...script('operations', 'operations.ts', '--check'),
    skip: () => missing('apps/acceptance/src/slos.ts'),
  },
  script('ASVS matrix', 'asvs.ts'),
  script('error pages', 'error-pages.ts', '--check'),
  script('OpenAPI changes', 'openapi-changes.ts'),
];

function missing(path: string): string | undefined {
  return existsSync(join(root, path)) ? undefined : `there is no ${path} yet`;
}

function appProjects(): string[] {
  return members('apps').flatMap(({ directory }) =>
    readdirSync(directory)
      .filter((name) => name === 'tsconfig.json')
      .map((name) => join(directory, name)),
  );
}

async function appTypes(): Promise<Pick<ToolResult, 'exitCode' | 'output'>> {
  const results: ToolResult[] = [];
  for (const project of appProjects())
    results.push(await runTool('tsc', ['-p', project, '--noEmit']));
  return {
    exitCode: results.some(({ exitCode }) => exitCode !== 0) ? 1 : 0,
    output: results
      .map(({ output }) => output)
      .join('\n')
      .trim(),
  };
}

/** Runs every step, whatever the others did. */
async function check(only: readonly string[]): Promise<StepResult[]> {
  const chosen = steps.filter(({ name }) => only.length === 0 || only.includes(name));
  const results: StepResult[] = [];
  for (const [index, { name, run, skip }] of chosen.entries()) {
    process.stdout.write(`[${String(index + 1).padStart(2)}/${chosen.length}] ${name.padEnd(18)} `);
    const reason = skip?.();
    if (reason !== undefined) {
      console.log(`skipped: ${reason}`);
      results.push({ name, state: 'skipped', tookMs: 0, reason });
      continue;
    }
    const startedAt = performance.now();
    const { exitCode, output } = await run();
    const tookMs = Math.round(performance.now() - startedAt);
    const state = exitCode === 0 ? 'passed' : 'failed';
    console.log(`${state === 'passed' ? 'ok' : 'FAILED'}  ${inWords(tookMs)}`);
    if (state === 'failed') console.log(`\n${output}\n`);
    results.push({ name, state, tookMs });
  }
  return results;
}

const only = process.argv.slice(2).filter((argument) => argument !== '--');
const unknown = only.filter((name) => !steps.some((step) => step.name === name));
if (unknown.length > 0) {
  console.error(
    `No such step: ${unknown.join(', ')}. There are: ${steps.map(({ name }) => name).join(', ')}.`,
  );
  process.exit(2);
}
const results = await check(only);
const counts = sum(
  results.map(({ state }) => ({
    passed: Number(state === 'passed'),
    failed: Number(state === 'failed'),
    skipped: Number(state === 'skipped'),
  })),
);
writeResult('check', { args: only, counts, steps: results });
const failed = results.filter(({ state }) => state === 'failed').map(({ name }) => name);
console.log(
  `\nChecks: ${totalLine(counts)}, ${inWords(sumOf(results))}${failed.length > 0 ? `. Failed: ${failed.join(', ')}` : ''}`,
);
process.exitCode = failed.length > 0 ? 1 : 0;

function sumOf(all: readonly StepResult[]): number {
  return all.reduce((total, { tookMs }) => total + tookMs, 0);
}
