import type { Duration } from '@svc/core';
import * as v from 'valibot';
import { boundedText, id, timestamp } from '../schemas.ts';

const duration = (description: string) =>
  v.pipe(
    v.string(),
    v.maxLength(20),
    v.regex(/^\d+(?:\.\d+)?(?:ms|s|m|h|d)$/),
    v.transform((value) => value as Duration),
    v.description(description),
  );

const scope = v.pipe(v.string(), v.maxLength(100), v.examples(['project.read']));

export const CreateApiKeySchema = v.strictObject({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(100), v.examples(['Nightly import'])),
  scopes: v.pipe(
    v.array(scope),
    v.minLength(1),
    v.maxLength(100),
    v.description('The permissions it may use, of those that you have.'),
  ),
  expiresIn: v.optional(duration('When it ends: a number and ms, s, m, h or d. Never if absent.')),
});

export const RotateApiKeySchema = v.strictObject({
  overlap: v.optional(duration('How long the former key works on.'), '24h'),
});

const ApiKeyBody = v.object({
  id,
  name: boundedText,
  scopes: v.array(boundedText),
  createdAt: timestamp,
  expiresAt: v.nullable(timestamp),
  lastUsedAt: v.nullable(v.pipe(timestamp, v.description('To the minute.'))),
});

export const NewApiKeyBody = v.object({
  key: v.pipe(boundedText, v.description('Shown here and never again.')),
  ...ApiKeyBody.entries,
});

export const ApiKeyList = v.object({ items: v.array(ApiKeyBody) });
