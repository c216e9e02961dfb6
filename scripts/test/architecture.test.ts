import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { architectureFaults } from '../architecture.ts';

let base: string;
const write = (path: string, content: string | object) => {
  mkdirSync(dirname(join(base, path)), { recursive: true });
  writeFileSync(join(base, path), typeof content === 'string' ? content : JSON.stringify(content));
};
const messages = () =>
  architectureFaults(base)
    .map(({ file, message }) => `${file}: ${message}`)
    .join('\n');

const manifest = {
  name: '@svc/mail',
  description: 'Sends mail.',
  license: 'MIT',
  type: 'module',
  sideEffects: false,
  engines: { node: '>=22.12' },
  files: ['dist', 'src'],
  exports: {
    '.': {
      '@svc/source': './src/index.ts',
      types: './dist/index.d.ts',
      default: './dist/index.js',
    },
  },
  dependencies: { '@svc/core': 'workspace:^', valibot: 'catalog:' },
};
const readme =
  '# @svc/mail\n\n## What it is\n\n## Install\n\n## Use\n\n```ts\n## not a heading\n```\n\n## Events\n';

beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'architecture-'));
  write('packages/mail/package.json', manifest);
  write('packages/mail/README.md', readme);
  write('packages/mail/src/index.ts', 'export {};\n');
  for (const file of ['tsconfig.json', 'tsconfig.build.json', 'turbo.json'])
    write(`packages/mail/${file}`, {});
});
afterEach(() => rmSync(base, { recursive: true, force: true }));

describe('the architecture check', () => {
  it('finds nothing in a package as agreed', () => expect(messages()).toBe(''));

  it.each([
    'utils.ts',
    'helpers/a.ts',
    'common.ts',
    'shared/a.ts',
    'misc.ts',
    'types.ts',
    'types/a.ts',
    'string-utils.ts',
    'stores/test-helpers.ts',
  ])('refuses the name %s', (name) => {
    write(`packages/mail/src/${name}`, 'export {};\n');
    expect(messages()).toContain('Name it after what it does');
  });

  it('lets a test of types keep its name', () => {
    write('packages/mail/test/types.test-d.ts', 'export {};\n');
    expect(messages()).toBe('');
  });

  it('refuses a file beyond the cap and one that is not kebab-case', () => {
    write('packages/mail/src/sendMail.ts', '\n'.repeat(401));
    expect(messages()).toMatch(/kebab-case[\s\S]*401 lines/);
  });

  it('refuses a disabled rule without a reason, and a disabled house rule with one', () => {
    write('packages/mail/src/a.ts', '// oxlint-disable-next-line no-var\nvar a;\n');
    write('packages/mail/src/b.ts', '// oxlint-disable-next-line house/no-any -- it is fine\n');
    expect(messages()).toMatch(/needs its reason[\s\S]*not switched off/);
  });

  it.each([
    ['license', 'ISC'],
    ['sideEffects', true],
    ['files', ['dist']],
    ['engines', { node: '>=20' }],
    ['type', 'commonjs'],
  ])('refuses another "%s"', (field, value) => {
    write('packages/mail/package.json', { ...manifest, [field]: value });
    expect(messages()).toContain(`"${field}" is`);
  });

  it('refuses conditions in another order, and a subpath without a file', () => {
    const { default: fallback, ...others } = manifest.exports['.'];
    write('packages/mail/package.json', {
      ...manifest,
      exports: { '.': { default: fallback, ...others } },
    });
    expect(messages()).toContain('exports["."] is not');
    write('packages/mail/package.json', {
      ...manifest,
      exports: {
        ...manifest.exports,
        './smtp': {
          '@svc/source': './src/smtp.ts',
          types: './dist/smtp.d.ts',
          default: './dist/smtp.js',
        },
      },
    });
    expect(messages()).toContain('exports["./smtp"] names a file');
  });

  it.each([
    ['a service', { '@svc/auth': 'workspace:^' }, 'R1'],
    ['an app', { '@svc/acceptance': 'workspace:^' }, 'R3'],
    ['a pinned sibling', { '@svc/core': '1.0.0' }, 'workspace:^'],
    ['a version of its own', { valibot: '^1.0.0' }, 'catalog'],
    ['a kysely of its own', { kysely: 'catalog:' }, 'peer'],
  ])('refuses a dependency on %s', (_, dependencies, message) => {
    write('apps/acceptance/package.json', { name: '@svc/acceptance' });
    write('packages/mail/package.json', { ...manifest, dependencies });
    expect(messages()).toContain(message);
  });

  it('refuses a README that is missing, out of order or with a heading of its own', () => {
    write('packages/mail/README.md', '## Use\n## What it is\n## Extras\n');
    expect(messages()).toMatch(/"Extras" is not[\s\S]*"Install" is missing[\s\S]*in this order/);
    rmSync(join(base, 'packages/mail/README.md'));
    expect(messages()).toContain('has a README');
  });
});
