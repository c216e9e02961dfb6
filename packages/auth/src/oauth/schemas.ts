import * as v from 'valibot';

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

const text = v.pipe(v.string(), v.maxLength(254));
const timestamp = v.pipe(v.string(), v.isoTimestamp(), v.maxLength(30));

export const ProvidersBody = v.object({
  providers: v.array(v.object({ id: text, name: text })),
});
export const StartedBody = v.object({
  url: v.pipe(v.string(), v.maxLength(4096), v.description('Where to send the browser.')),
});
export const IdentitiesBody = v.object({
  identities: v.array(
    v.object({
      id: v.pipe(v.string(), v.uuid(), v.maxLength(36)),
      provider: text,
      email: v.nullable(text),
      createdAt: timestamp,
      lastUsedAt: v.nullable(timestamp),
    }),
  ),
});
