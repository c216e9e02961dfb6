import type { OpenApiDocument, OpenApiSchema } from '@svc/http';
import { expect, test } from 'vitest';
import { breakingChanges } from '../contract/breaking-changes.ts';

interface Parts {
  id?: string;
  path?: string;
  security?: OpenApiDocument['security'];
  name?: OpenApiSchema;
  more?: Record<string, OpenApiSchema>;
  required?: string[];
  answer?: Record<string, OpenApiSchema>;
  answered?: string[];
  status?: string;
}

const text = { type: 'string', maxLength: 80 };

function documentOf({
  id = 'change',
  path = '/things',
  security = [],
  name = text,
  more = {},
  required = ['name'],
  answer = { id: { type: 'string' }, state: { enum: ['new', 'done'] } },
  answered = ['id', 'state'],
  status = '200',
}: Parts = {}): OpenApiDocument {
  const sent = {
    type: 'object',
    properties: { name, ...more },
    required,
    additionalProperties: false,
  };
  const got = { type: 'object', properties: answer, required: answered };
  const operation = {
    operationId: id,
    security,
    requestBody: { content: { 'application/json': { schema: sent } } },
    responses: { [status]: { content: { 'application/json': { schema: got } } } },
  };
  const info = { title: 'Things', version: '1.0.0' };
  return { openapi: '3.1.1', info, paths: { [path]: { post: operation } } };
}

const changesOf = (parts: Parts) => breakingChanges(documentOf(), documentOf(parts));

test('what clients can go on with is no breaking change', () => {
  expect(changesOf({})).toEqual([]);
  expect(changesOf({ name: { type: 'string', maxLength: 100 } })).toEqual([]);
  expect(changesOf({ more: { colour: text } })).toEqual([]);
  expect(changesOf({ required: [] })).toEqual([]);
  const answer = { id: { type: 'string' }, state: { const: 'new' }, more: text };
  expect(changesOf({ answer })).toEqual([]);
});

test.each([
  [{ path: '/others' }, 'change: POST /things is gone'],
  [{ id: 'alter' }, 'change: its id is alter now'],
  [{ security: [{ bearer: [] }] }, 'change: it asks for credentials now'],
  [{ name: { type: 'string', maxLength: 40 } }, 'change: the body.name: maxLength is less'],
  [{ name: { type: 'integer' } }, 'change: the body.name is a integer now'],
  [{ name: { ...text, enum: ['a'] } }, 'change: the body.name: not every value is taken any more'],
  [{ name: { ...text, pattern: '^a$' } }, 'change: the body.name has another pattern'],
  [
    { more: { colour: text }, required: ['name', 'colour'] },
    'change: the body.colour is needed now',
  ],
  [{ status: '201' }, 'change: it does not answer 200 any more'],
  [{ answer: { state: { enum: ['new', 'done'] } } }, 'change: 200.id is gone'],
  [{ answered: ['id'] }, 'change: 200.state may be missing now'],
  [
    { answer: { id: { type: 'string' }, state: { enum: ['new', 'done', 'late'] } } },
    'change: 200.state has a value that clients do not know',
  ],
] satisfies [Parts, string][])('%o breaks clients', (parts, change) => {
  expect(changesOf(parts)).toEqual([change]);
});
