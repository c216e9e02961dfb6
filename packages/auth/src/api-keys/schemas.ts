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
  tenantId: v.optional(
    v.pipe(
      id,
      v.description('The one tenant in which it works, of those that you are a member of.'),
    ),
  ),
});

export const RotateApiKeySchema = v.strictObject({
  overlap: v.optional(duration('How long the former key works on.'), '24h'),
});

const ApiKeyBody = v.object({
  id,
  name: boundedText,
  scopes: v.array(boundedText),
  tenantId: v.pipe(v.nullable(id), v.description('The one tenant in which it works.')),
  createdAt: timestamp,
  expiresAt: v.nullable(timestamp),
  lastUsedAt: v.nullable(v.pipe(timestamp, v.description('To the minute.'))),
});

export const NewApiKeyBody = v.object({
  key: v.pipe(boundedText, v.description('Shown here and never again.')),
  ...ApiKeyBody.entries,
});

export const ApiKeyList = v.object({ items: v.pipe(v.array(ApiKeyBody), v.maxLength(100)) });

export const TenantApiKeysQuery = v.strictObject({
  limit: v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,3}$/), v.transform(Number), v.minValue(1), v.maxValue(100)),
    '20',
  ),
  cursor: v.optional(id),
});

export const TenantApiKeyList = v.object({
  items: v.array(
    v.object({ ...ApiKeyBody.entries, userId: v.pipe(id, v.description('Whose it is.')) }),
  ),
  nextCursor: v.nullable(id),
});
