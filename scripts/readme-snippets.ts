import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { root, runTool } from './run-tool.ts';
import { extractSnippets } from './snippets.ts';
import { filesBelow, members } from './workspace.ts';

// Every ```ts block of the documentation is compiled against the built packages, in a project that
// sees what a reader would have installed: our packages, and what they and the apps depend on.

const folder = mkdtempSync(join(root, '.snippets-'));
const origins = new Map<string, { document: string; line: number }>();
let faults = 0;
const complain = (document: string, line: number, message: string) => {
  faults++;
  console.log(`${document}:${line}: ${message}`);
};

try {
  linkModules(join(folder, 'node_modules'));
  for (const document of documents()) writeSnippets(document);
  if (origins.size > 0) await compile();
} finally {
  rmSync(folder, { recursive: true, force: true });
}
console.log(`${origins.size} snippets, ${faults} faults`);
process.exitCode = faults > 0 ? 1 : 0;

function documents(): string[] {
  const readmes = ['README.md', ...members('packages').map(({ path }) => `${path}/README.md`)];
  const docs = filesBelow(join(root, 'docs'))
    .filter((path) => path.endsWith('.md'))
    .map((path) => `docs/${path}`);
  return [...readmes, ...docs].filter((path) => existsSync(join(root, path)));
}

function linkModules(modules: string): void {
  const link = (name: string, target: string) => {
    const path = join(modules, name);
    if (existsSync(path) || !existsSync(target)) return;
    mkdirSync(dirname(path), { recursive: true });
    symlinkSync(target, path);
  };
  for (const { manifest, directory } of members('packages')) link(manifest.name, directory);
  for (const { manifest, directory } of [...members('packages'), ...members('apps')]) {
    const names = Object.keys({ ...manifest.dependencies, ...manifest.devDependencies });
    for (const name of names) link(name, join(directory, 'node_modules', name));
  }
  for (const name of readdirSync(join(root, 'node_modules/@types')))
    link(`@types/${name}`, join(root, 'node_modules/@types', name));
  link('vitest', join(root, 'node_modules/vitest'));
}

function writeSnippets(document: string): void {
  const extracted = extractSnippets(readFileSync(join(root, document), 'utf8'));
  for (const { line, message } of extracted.faults) complain(document, line, message);
  const home = document.replace(/\.md$/, '').replaceAll(/[^\w-]+/g, '-');
  for (const { line, file, code } of extracted.snippets) {
    const name = join(home, file ?? `line-${line}.ts`);
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    // `export {}` on the last line makes a module of it without moving any line.
    writeFileSync(join(folder, name), `${code}\nexport {};\n`);
    origins.set(name, { document, line });
  }
}

async function compile(): Promise<void> {
  const compilerOptions = { noEmit: true, noUnusedLocals: false, noUnusedParameters: false };
  writeFileSync(
    join(folder, 'tsconfig.json'),
    JSON.stringify({
      extends: '../tsconfig.base.json',
      compilerOptions,
      files: [...origins.keys()],
    }),
  );
  const { exitCode, output } = await runTool('tsc', ['-p', 'tsconfig.json', '--pretty', 'false'], {
    cwd: folder,
  });
  if (exitCode === 0) return;
  for (const text of output.split('\n')) {
    const at = /^(.+?)\((\d+),\d+\): (.*)$/.exec(text);
    const origin = at === null ? undefined : origins.get(at[1] ?? '');
    if (at !== null && origin !== undefined)
      complain(origin.document, origin.line + Number(at[2]) - 1, at[3] ?? '');
    else console.log(text);
  }
  // Errors outside of the snippets (in our own declarations) have no line above, but fail all the same.
  if (faults === 0) faults = 1;
}
