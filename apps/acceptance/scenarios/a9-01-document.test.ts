import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { OpenApiContent, OpenApiDocument } from '@svc/http';
import { beforeAll, expect, test } from 'vitest';
import { settled } from '../contract/breaking-changes.ts';
import { createSchemaCheck } from '../contract/json-schemas.ts';
import { expectJson, request } from './client.ts';

let document: OpenApiDocument;
const operations = () =>
  Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, ...operation })),
  );

beforeAll(async () => {
  document = await expectJson<OpenApiDocument>(request('/openapi.json'));
});

test('the document is of OpenAPI 3.1 and about the whole app', () => {
  expect(document.openapi).toMatch(/^3\.1\./);
  expect(document.info).toMatchObject({ title: 'Projects', description: expect.any(String) });
  expect(operations().length).toBeGreaterThan(110);
});

test('the document is the one in docs/openapi, whose changes a release answers for', () => {
  const file = join(import.meta.dirname, '../../../docs/openapi/projects.json');
  const text = `${JSON.stringify(settled(document), null, 1)}\n`;
  if (process.env['WRITE_DOCUMENT'] === 'true') writeFileSync(file, text);
  expect(
    readFileSync(file, 'utf8') === text,
    'Write it anew: WRITE_DOCUMENT=true pnpm accept --only A9-01',
  ).toBe(true);
});

test('every route is in the document or says that it is hidden', async () => {
  const { findings } = await expectJson<{ findings: { rule: string; operation: string }[] }>(
    request('/_acceptance/doctor'),
  );
  expect(findings.filter(({ rule }) => rule === 'orphan_route')).toEqual([]);
});

test('every operation has an id of its own, a summary, known tags, security and problems', () => {
  const ids = operations().map(({ operationId }) => operationId);
  expect(new Set(ids).size).toBe(ids.length);
  const tags = document.tags?.map(({ name }) => name) ?? [];
  const schemes = Object.keys(document.components?.['securitySchemes'] ?? {});
  for (const operation of operations()) {
    const { operationId, summary, security = document.security ?? [], responses = {} } = operation;
    expect({ operationId, summary }).toEqual({
      operationId: expect.stringMatching(/^[a-z]\w+$/),
      summary: expect.stringMatching(/\S/),
    });
    expect([operationId, operation.tags]).toEqual([operationId, [expect.toBeOneOf(tags)]]);
    for (const each of security.flatMap((one) => Object.keys(one))) expect(schemes).toContain(each);
    const refusals = Object.entries(responses).filter(([status]) => Number(status) >= 400);
    expect(refusals.map(([status]) => status)).toContain('500');
    for (const [, { content = {} }] of refusals.filter(([status]) => status !== '503'))
      expect(Object.keys(content)).toContain('application/problem+json');
  }
});

test('every limited answer names the headers that say how the caller stands', () => {
  for (const { path, operationId, responses = {} } of operations()) {
    if (/^\/(?:healthz|readyz|startupz)$/.test(path)) continue;
    for (const [status, { headers = {} }] of Object.entries(responses))
      expect([operationId, status, Object.keys(headers)]).toEqual([
        operationId,
        status,
        expect.arrayContaining(['RateLimit', 'RateLimit-Policy']),
      ]);
    expect(Object.keys(responses['429']?.headers ?? {})).toContain('Retry-After');
  }
});

test('every list that has pages says how many it gives and how to get the next', () => {
  const paged = operations().filter(({ parameters = [] }) =>
    parameters.some(({ name }) => name === 'limit'),
  );
  expect(paged.length).toBeGreaterThan(8);
  for (const { operationId, parameters = [], responses } of paged) {
    const names = parameters.map(({ name }) => name);
    const body = responses?.['200']?.content?.['application/json']?.schema?.['properties'];
    const members = Object.keys(body ?? {});
    const next = members.find((name) => name.startsWith('next'));
    if (next === undefined) expect([operationId, names]).toEqual(['listCallers', ['limit']]);
    else
      expect([operationId, names]).toEqual([
        operationId,
        expect.arrayContaining([expect.stringMatching(/^(?:cursor|after|before)$/)]),
      ]);
  }
});

test('every body has an example that fits its schema', () => {
  const check = createSchemaCheck(document);
  const shown = (document.components?.['examples'] ?? {}) as Record<string, { value: unknown }>;
  let examined = 0;
  const faults = operations().flatMap(({ operationId, requestBody, responses = {} }) => {
    const bodies: [string, OpenApiContent][] = [
      ['request', requestBody?.content ?? {}],
      ...Object.entries(responses).map(([status, { content = {} }]): [string, OpenApiContent] => [
        status,
        content,
      ]),
    ];
    return bodies.flatMap(([where, content]) =>
      Object.entries(content).flatMap(([type, { schema = {}, example, examples = {} }]) => {
        const values = [
          ...(example === undefined ? [] : [example]),
          ...Object.keys(examples).map((name) => shown[name]?.value),
        ];
        examined += values.length;
        if (values.length === 0) return [`${operationId} ${where} ${type} has none`];
        return values.flatMap((value) => {
          const fault = check(schema, value);
          return fault === undefined ? [] : [`${operationId} ${where} ${type}: ${fault}`];
        });
      }),
    );
  });
  expect(faults, faults.join('\n')).toEqual([]);
  expect(examined).toBeGreaterThan(1000);
});
