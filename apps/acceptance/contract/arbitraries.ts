import type { OpenApiSchema } from '@svc/http';
import fc from 'fast-check';

/** How texts are made: `sober` ones that no rule beyond the schema would refuse, or `odd` ones that just fit. */
export type Mood = 'sober' | 'odd';

/** Values that fit a schema. */
export function fitting(schema: OpenApiSchema, mood: Mood, name = ''): fc.Arbitrary<unknown> {
  const { type, anyOf, oneOf, allOf } = schema;
  if ('const' in schema) return fc.constant(schema['const']);
  if (Array.isArray(schema['enum'])) return fc.constantFrom(...schema['enum']);
  const choices = (anyOf ?? oneOf) as readonly OpenApiSchema[] | undefined;
  if (choices !== undefined) return fc.oneof(...choices.map((each) => fitting(each, mood, name)));
  if (Array.isArray(allOf))
    return fc
      .tuple(...allOf.map((each: OpenApiSchema) => fitting(each, mood, name)))
      .map((parts) => Object.assign({}, ...parts) as unknown);
  if (Array.isArray(type))
    return fc.oneof(...type.map((each: string) => fitting({ ...schema, type: each }, mood, name)));
  return (makers[String(type)] ?? (() => fc.constant({})))(schema, mood, name);
}

type Maker = (schema: OpenApiSchema, mood: Mood, name: string) => fc.Arbitrary<unknown>;

const makers: Readonly<Record<string, Maker>> = {
  object(schema, mood) {
    const properties = propertiesOf(schema);
    const required = (schema['required'] ?? []) as string[];
    const model = Object.fromEntries(
      Object.entries(properties).map(([key, each]) => [key, fitting(each, mood, key)]),
    );
    return fc.record(model, { requiredKeys: required });
  },
  array(schema, mood, name) {
    const { minItems = 0, maxItems = 4, items, uniqueItems } = schema;
    const least = Number(minItems);
    const size = {
      minLength: least,
      maxLength: Math.max(least, Math.min(Number(maxItems), least + 3)),
    };
    const item = fitting((items ?? {}) as OpenApiSchema, mood, name);
    return uniqueItems === true ? fc.uniqueArray(item, size) : fc.array(item, size);
  },
  integer(schema) {
    const { min, max } = rangeOf(schema);
    return fc.integer({ min: Math.ceil(min), max: Math.floor(max) });
  },
  number(schema) {
    const { min, max } = rangeOf(schema);
    return fc.double({ min, max, noNaN: true, noDefaultInfinity: true });
  },
  boolean: () => fc.boolean(),
  null: () => fc.constant(null),
  string: textOf,
};

export const propertiesOf = (schema: OpenApiSchema) =>
  (schema['properties'] ?? {}) as Readonly<Record<string, OpenApiSchema>>;

export function rangeOf({ minimum, exclusiveMinimum, maximum, exclusiveMaximum }: OpenApiSchema) {
  const min = Number(
    minimum ?? (exclusiveMinimum === undefined ? -1e6 : Number(exclusiveMinimum) + 1),
  );
  const max = Number(
    maximum ?? (exclusiveMaximum === undefined ? 1e6 : Number(exclusiveMaximum) - 1),
  );
  return { min, max: Math.max(min, max) };
}

const firstMs = Date.UTC(2020, 0, 1);
const lastMs = Date.UTC(2030, 0, 1);
const times = fc.integer({ min: firstMs, max: lastMs }).map((ms) => new Date(ms).toISOString());
const words = fc.stringMatching(/^[a-z]{3,12}$/);

const formats: Readonly<Record<string, fc.Arbitrary<string>>> = {
  uuid: fc.uuid({ version: 7 }),
  'date-time': times,
  date: times.map((time) => time.slice(0, 10)),
  time: times.map((time) => time.slice(11, 16)),
  email: words.map((word) => `${word}@example.test`),
  uri: words.map((word) => `https://${word}.example/hook`),
  ipv4: fc.ipV4(),
  ipv6: fc.ipV6(),
};

function textOf(schema: OpenApiSchema, mood: Mood, name: string): fc.Arbitrary<string> {
  const { format, pattern, minLength = 0, maxLength = 100 } = schema;
  const [least, most] = [Number(minLength), Number(maxLength)];
  const isSized = (text: string) => text.length >= least && text.length <= most;
  if (typeof pattern === 'string') return fc.stringMatching(new RegExp(pattern)).filter(isSized);
  const known = formats[typeof format === 'string' ? format : formatOf(name)];
  if (known !== undefined && (mood === 'sober' || typeof format === 'string')) return known;
  if (mood === 'sober')
    return fc
      .string({ minLength: least, maxLength: Math.max(least, Math.min(most, 40)), unit: letters })
      .map((text) => (text === '' && most > 0 ? 'x' : text));
  const wild = fc.string({
    minLength: least,
    maxLength: Math.max(least, Math.min(most, 60)),
    unit: 'binary',
  });
  return fc.oneof(wild.filter(isSized), fc.constant('x'.repeat(Math.min(most, 5000))));
}

const letters = fc.constantFrom(...'abcdefghijklmnopqrstuvwxyz0123456789');
const formatOf = (name: string): string =>
  /email$/i.test(name) ? 'email' : /^url$|Uri$/.test(name) ? 'uri' : '';

/** What no schema of ours takes for a text or a number, and what an answer must not repeat. */
export const canary = 'echo-canary-7f3a';

/** The values next to one that fits which do not; which of them fit after all, a schema check has to say. */
export function spoiled(schema: OpenApiSchema, value: unknown): unknown[] {
  const { type, maxLength, minLength, maximum, minimum, maxItems, minItems } = schema;
  const here: unknown[] = [null, canary, 7, true, [canary], { [canary]: canary }];
  if (type === 'string') {
    if (maxLength !== undefined) here.push('x'.repeat(Number(maxLength) + 1));
    if (Number(minLength ?? 0) > 0) here.push('x'.repeat(Number(minLength) - 1));
  }
  if (maximum !== undefined) here.push(Number(maximum) + 1);
  if (minimum !== undefined) here.push(Number(minimum) - 1);
  if (type === 'integer') here.push(0.5, String(value));
  if (Array.isArray(value)) {
    const first: unknown = value[0] ?? canary;
    if (maxItems !== undefined && Number(maxItems) < 1000)
      here.push(Array.from({ length: Number(maxItems) + 1 }, () => first));
    if (Number(minItems ?? 0) > 0) here.push([]);
    const items = (schema['items'] ?? {}) as OpenApiSchema;
    if (value.length > 0)
      here.push(
        ...spoiled(items, value[0]).map((each) => [each, ...(value.slice(1) as unknown[])]),
      );
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return here;
  const whole = value as Readonly<Record<string, unknown>>;
  for (const key of (schema['required'] ?? []) as readonly string[]) {
    const { [key]: _, ...rest } = whole;
    here.push(rest);
  }
  here.push({ ...whole, [canary]: canary });
  for (const [key, property] of Object.entries(propertiesOf(schema)))
    if (key in whole)
      here.push(...spoiled(property, whole[key]).map((each) => ({ ...whole, [key]: each })));
  return here;
}
