import { spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packMember } from './pack.ts';
import { inWords, root, runTool, toolEnvironment } from './run-tool.ts';
import { extractSnippets } from './snippets.ts';
import { catalog, type Manifest, type Member, members } from './workspace.ts';

// A stranger's view: the tarballs, installed by npm into an empty project outside of the workspace,
// type-checked there, and the README's first snippet run.

interface Trial {
  readonly name: string;
  /** What must not have come along. */
  readonly without: readonly string[];
}

const trials: Trial[] = [
  { name: '@svc/core', without: ['hono', 'kysely', 'ioredis'] },
  { name: '@svc/auth', without: ['ioredis', 'vitest'] },
];

/** A snippet that still runs after this long is taken for a server, and ended. */
const runForMs = 5_000;

async function attempt({ name, without }: Trial, folder: string): Promise<string[]> {
  const member = find(name);
  const snippet = extractSnippets(readme(member)).snippets[0];
  if (snippet === undefined) return ['its README has no TypeScript snippet'];
  const project = join(folder, name.replace(/\W+/g, '-'));
  mkdirSync(project);
  await writeProject(project, folder, member, snippet.code);

  const installed = await runTool(
    'npm',
    ['install', '--no-audit', '--no-fund', '--loglevel=error'],
    { cwd: project },
  );
  if (installed.exitCode !== 0) return [`npm install failed:\n${installed.output}`];
  const faults = without
    .filter((library) => existsSync(join(project, 'node_modules', library)))
    .map((library) => `it brought in ${library}`);
  const types = await runTool(
    join(root, 'node_modules/.bin/tsc'),
    ['-p', '.', '--pretty', 'false'],
    { cwd: project },
  );
  if (types.exitCode !== 0) faults.push(`its types do not check:\n${types.output}`);
  const ran = await runSnippet(project);
  if (ran !== undefined) faults.push(`the snippet of its README does not run:\n${ran}`);
  return faults;
}

/** The package, the siblings it and its snippet need, and the libraries the snippet names. */
async function writeProject(
  project: string,
  folder: string,
  member: Member,
  code: string,
): Promise<void> {
  const wanted = [...code.matchAll(/(?:from|import)\s*\(?\s*['"]((?:@[^/'"]+\/)?[^/'".][^/'"]*)/g)]
    .map((match) => match[1] ?? '')
    .filter((name) => !name.startsWith('node:'));
  const siblings = new Set<string>();
  const visit = ({ manifest }: Member) => {
    if (siblings.has(manifest.name)) return;
    siblings.add(manifest.name);
    for (const name of Object.keys({ ...manifest.dependencies, ...requiredPeers(manifest) }))
      if (name.startsWith('@svc/')) visit(find(name));
  };
  visit(member);
  for (const name of wanted) if (name.startsWith('@svc/')) visit(find(name));
  const tarballs: Record<string, string> = {};
  for (const name of siblings) tarballs[name] = `file:${await packMember(find(name), folder)}`;

  const libraries = new Set(wanted.filter((name) => !name.startsWith('@svc/')));
  for (const name of siblings)
    for (const peer of neededPeers(find(name), code)) libraries.add(peer);
  const versions = catalog();
  const dependencies = {
    ...tarballs,
    ...Object.fromEntries([...libraries].map((name) => [name, versions[name] ?? '*'])),
  };
  const devDependencies = { '@types/node': versions['@types/node'] ?? '*' };
  writeFileSync(
    join(project, 'package.json'),
    JSON.stringify(
      {
        name: 'stranger',
        private: true,
        type: 'module',
        dependencies,
        devDependencies,
        overrides: overridesOf(tarballs),
      },
      undefined,
      2,
    ),
  );
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2023',
    strict: true,
    noEmit: true,
    skipLibCheck: libraries.size > 0,
    types: ['node'],
  };
  writeFileSync(
    join(project, 'tsconfig.json'),
    JSON.stringify({ compilerOptions, files: ['snippet.ts'] }),
  );
  writeFileSync(join(project, 'snippet.ts'), `${code}\nexport {};\n`);
}

/** So that a sibling's own dependency on `@svc/core@^0.0.0` is the tarball too, and not looked for in a registry. */
function overridesOf(tarballs: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.keys(tarballs).map((name) => [name, `$${name}`]));
}

function requiredPeers(manifest: Manifest): Record<string, string> {
  const optional = manifest.peerDependenciesMeta ?? {};
  return Object.fromEntries(
    Object.entries(manifest.peerDependencies ?? {}).filter(
      ([name]) => optional[name]?.optional !== true,
    ),
  );
}

/** Libraries behind a subpath or a URL scheme that the snippet uses. */
function neededPeers({ manifest }: Member, code: string): string[] {
  const behind: Record<string, RegExp> = {
    '@electric-sql/pglite': /pglite:/,
    postgres: /postgres(ql)?:\/\//,
    hono: /@svc\/\w+\/hono|['"]hono/,
    'hono-openapi': /@svc\/\w+\/hono/,
    '@hono/node-server': /@svc\/http\/node/,
    nodemailer: /@svc\/mail\/smtp/,
  };
  const required = Object.keys(requiredPeers(manifest)).filter((name) => !name.startsWith('@svc/'));
  const used = Object.keys(manifest.peerDependencies ?? {}).filter(
    (name) => behind[name]?.test(code) === true,
  );
  return [...required, ...used];
}

/** Runs it with Node as a reader would; answers what went wrong. */
function runSnippet(cwd: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const running = spawn(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', 'snippet.ts'],
      { cwd, env: { ...toolEnvironment, PORT: '0' }, stdio: ['ignore', 'pipe', 'pipe'] },
    );
    let output = '';
    let stopped = false;
    running.stdout.on('data', (chunk) => void (output += chunk));
    running.stderr.on('data', (chunk) => void (output += chunk));
    const timer = setTimeout(() => {
      stopped = true;
      running.kill('SIGKILL');
    }, runForMs);
    running.on('close', (code) => {
      clearTimeout(timer);
      resolve(stopped || code === 0 ? undefined : output);
    });
  });
}

function find(name: string): Member {
  const member = members('packages').find(({ manifest }) => manifest.name === name);
  if (member === undefined) throw new Error(`There is no package ${name}.`);
  return member;
}

function readme({ directory }: Member): string {
  return readdirSync(directory).includes('README.md')
    ? readFileSync(join(directory, 'README.md'), 'utf8')
    : '';
}

const folder = mkdtempSync(join(tmpdir(), 'svc-install-'));
try {
  for (const trial of trials) {
    const startedAt = performance.now();
    const faults = await attempt(trial, folder);
    console.log(
      `${trial.name}: ${faults.length === 0 ? 'installs, type-checks and runs' : faults.join('\n')} (${inWords(performance.now() - startedAt)})`,
    );
    if (faults.length > 0) process.exitCode = 1;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
