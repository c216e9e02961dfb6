import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run-tool.ts';
import { filesBelow, type Manifest, type Member, members } from './workspace.ts';

// What concerns files and manifests; what concerns the code inside of them are the lint rules in lint/.

export interface Fault {
  readonly file: string;
  readonly message: string;
}

const vagueName =
  /(^|\/)(utils?|helpers?|common|shared|misc)(\/|\.[^/]*$)|-(utils?|helpers?)\.[^/]*$|(^|\/)types(\.ts$|\/)/i;
const lineCap = 400;
const foundation = ['@svc/core', '@svc/db', '@svc/http'];
const overview = ['@svc/obs', '@svc/admin', '@svc/cli'];
const headings = [
  'What it is',
  'Install',
  'Use',
  'Options and settings',
  'Stores',
  'Failures',
  'Events',
  'Tables',
];

/** Every breach of the agreed layout below `base`. */
export function architectureFaults(base = root): Fault[] {
  const packages = members('packages', base);
  const appNames = members('apps', base).map(({ manifest }) => manifest.name);
  return [
    ...['packages', 'apps', 'scripts', 'docs'].flatMap((folder) => fileFaults(base, folder)),
    ...packages.flatMap((member) => [
      ...manifestFaults(member),
      ...dependencyFaults(member, appNames),
      ...exportFaults(member),
      ...readmeFaults(member),
    ]),
  ];
}

function fileFaults(base: string, folder: string): Fault[] {
  return filesBelow(join(base, folder)).flatMap((path) => {
    const file = `${folder}/${path}`;
    const faults: Fault[] = [];
    if (vagueName.test(path))
      faults.push({
        file,
        message: 'Name it after what it does: no utils, helpers, common, shared, misc, types.',
      });
    if (!path.endsWith('.ts')) return faults;
    if (!/^[a-z0-9.-]+$/.test(path.split('/').at(-1) ?? ''))
      faults.push({ file, message: 'File names are kebab-case.' });
    const text = readFileSync(join(base, file), 'utf8');
    const lines = text.split('\n').length - 1;
    if (lines > lineCap) faults.push({ file, message: `${lines} lines; the cap is ${lineCap}.` });
    // The tests of this check hold planted faults.
    if (path.startsWith('test/') && folder === 'scripts') return faults;
    if (/(ox|es)lint-disable(?!.*(--|:) ?\S)/.test(text))
      faults.push({ file, message: 'A disabled rule needs its reason: -- why.' });
    if (/(ox|es)lint-disable.*(house\/|no-explicit-any)/.test(text))
      faults.push({ file, message: 'House rules are not switched off by comment.' });
    return faults;
  });
}

function manifestFaults({ path, manifest, directory }: Member): Fault[] {
  const file = `${path}/package.json`;
  const expected: [keyof Manifest, unknown][] = [
    ['license', 'MIT'],
    ['type', 'module'],
    ['sideEffects', false],
    ['files', ['dist', 'src']],
    ['engines', { node: '>=22.12' }],
  ];
  const faults = expected
    .filter(([field, value]) => JSON.stringify(manifest[field]) !== JSON.stringify(value))
    .map(([field, value]) => ({
      file,
      message: `"${field}" is ${JSON.stringify(value)} in every package.`,
    }));
  if (manifest.name !== `@svc/${path.split('/')[1]}`)
    faults.push({ file, message: 'A package is named after its folder.' });
  if (!manifest.description)
    faults.push({ file, message: 'A package says in "description" what it is.' });
  if (manifest.private === true)
    faults.push({ file, message: 'What is private is an app, not a package.' });
  for (const needed of ['tsconfig.json', 'tsconfig.build.json', 'turbo.json']) {
    if (!existsSync(join(directory, needed)))
      faults.push({ file: path, message: `${needed} is missing.` });
  }
  return faults;
}

function dependencyFaults({ path, manifest }: Member, appNames: readonly string[]): Fault[] {
  const file = `${path}/package.json`;
  const faults: Fault[] = [];
  const add = (message: string) => faults.push({ file, message });
  const fields = ['dependencies', 'peerDependencies', 'devDependencies'] as const;
  for (const field of fields) {
    for (const [name, range] of Object.entries(manifest[field] ?? {})) {
      if (appNames.includes(name)) add(`R3: nothing depends on an app (${name}).`);
      else if (!name.startsWith('@svc/')) {
        if (range !== 'catalog:') add(`${name}: versions stand in the catalog.`);
        continue;
      }
      if (range !== 'workspace:^') add(`${name}: internal links are workspace:^.`);
      if (!mayDependOn(manifest.name, name))
        add(`R1: ${manifest.name} does not depend on ${name}.`);
    }
  }
  if (manifest.dependencies?.['kysely'] !== undefined)
    add('kysely is a peer dependency: two copies are two types.');
  for (const name of Object.keys(manifest.peerDependenciesMeta ?? {})) {
    if (manifest.peerDependencies?.[name] === undefined)
      add(`${name} is optional but no peer dependency.`);
  }
  return faults;
}

function mayDependOn(owner: string, name: string): boolean {
  if (owner === '@svc/core') return false;
  if (foundation.includes(owner)) return name === '@svc/core';
  return overview.includes(owner) || foundation.includes(name);
}

function exportFaults({ path, directory, manifest }: Member): Fault[] {
  const file = `${path}/package.json`;
  const entries = Object.entries(manifest.exports ?? {});
  if (!entries.some(([subpath]) => subpath === '.'))
    return [{ file, message: 'It exports nothing at ".".' }];
  return entries.flatMap(([subpath, conditions]) => {
    const name = subpath === '.' ? 'index' : subpath.slice(2);
    // Itself, a folder, or one implementation among several: src/smtp.ts, src/hono/index.ts, src/transports/smtp.ts.
    const home = /^\.\/src\/((?:[a-z]+s\/(?!index\.))?([a-z0-9-]+)(?:\/index)?)\.ts$/.exec(
      conditions['@svc/source'] ?? '',
    );
    if (home?.[2] !== name)
      return [
        {
          file,
          message: `exports["${subpath}"]: @svc/source names neither src/${name}.ts nor a file that could stand for it.`,
        },
      ];
    const expected = {
      '@svc/source': `./src/${home[1]}.ts`,
      types: `./dist/${home[1]}.d.ts`,
      default: `./dist/${home[1]}.js`,
    };
    const faults: Fault[] = [];
    // The order of conditions decides which one wins, so it is compared as text.
    if (JSON.stringify(conditions) !== JSON.stringify(expected))
      faults.push({ file, message: `exports["${subpath}"] is not ${JSON.stringify(expected)}.` });
    if (!existsSync(join(directory, 'src', `${home[1]}.ts`)))
      faults.push({ file, message: `exports["${subpath}"] names a file that does not exist.` });
    return faults;
  });
}

function readmeFaults({ path, directory }: Member): Fault[] {
  const file = `${path}/README.md`;
  if (!existsSync(join(directory, 'README.md')))
    return [{ file, message: 'A package has a README.' }];
  const text = readFileSync(join(directory, 'README.md'), 'utf8').replaceAll(/^```.*?^```/gms, '');
  const found = [...text.matchAll(/^## (.+)$/gm)].map((match) => match[1]?.trim() ?? '');
  const faults: Fault[] = found
    .filter((heading) => !headings.includes(heading))
    .map((heading) => ({
      file,
      message: `"${heading}" is not one of the headings: ${headings.join(' · ')}.`,
    }));
  for (const needed of headings.slice(0, 3))
    if (!found.includes(needed)) faults.push({ file, message: `"${needed}" is missing.` });
  const order = found.map((heading) => headings.indexOf(heading)).filter((index) => index >= 0);
  if (order.some((index, at) => index < (order[at - 1] ?? 0)))
    faults.push({ file, message: `The headings stand in this order: ${headings.join(' · ')}.` });
  return faults;
}

if (import.meta.main) {
  const faults = architectureFaults();
  for (const { file, message } of faults) console.log(`${file}: ${message}`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
