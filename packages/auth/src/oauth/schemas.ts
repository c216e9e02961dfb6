import * as v from 'valibot';
import { boundedText, id, timestamp } from '../schemas.ts';

const returnTo = v.optional(
  v.pipe(
    v.string(),
    v.maxLength(1000),
    v.description('Where to go on afterwards: a path of this site.'),
    v.examples(['/projects']),
  ),
);

export const StartSchema = v.strictObject({ returnTo });

// RFC 6749 4.1.2 bounds nothing; codes of Microsoft have more than a thousand characters. What else is posted
// (Apple adds a name, unsigned) is left behind.
const parameter = v.optional(v.pipe(v.string(), v.maxLength(4096)));
export const FormPostSchema = v.object({
  state: parameter,
  code: parameter,
  iss: parameter,
  error: parameter,
});

export const ProviderParam = v.strictObject({ provider: v.pipe(v.string(), v.maxLength(64)) });
export const ProvidersBody = v.object({
  items: v.array(v.object({ id: boundedText, name: boundedText })),
});
export const StartedBody = v.object({
  url: v.pipe(v.string(), v.maxLength(4096), v.description('Where to send the browser.')),
});
export const IdentitiesBody = v.object({
  items: v.array(
    v.object({
      id,
      provider: boundedText,
      email: v.nullable(boundedText),
      createdAt: timestamp,
      lastUsedAt: v.nullable(timestamp),
    }),
  ),
});
