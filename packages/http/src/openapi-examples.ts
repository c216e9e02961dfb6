import {
  mapValues,
  type OpenApiContent,
  type OpenApiDocument,
  type OpenApiSchema,
} from './openapi.ts';

/** The same document, in which every body has an example: made from its schema where none is written and one can be made. */
export function documentExamples(document: OpenApiDocument): OpenApiDocument {
  const complete = (content: OpenApiContent): OpenApiContent =>
    mapValues(content, (media) => {
      if (media.example !== undefined || media.examples !== undefined || media.schema === undefined)
        return media;
      const example = exampleOf(media.schema, document);
      return example === undefined ? media : { ...media, example };
    });
  const paths = mapValues(document.paths, (operations) =>
    mapValues(operations, (operation) => ({
      ...operation,
      ...(operation.requestBody?.content !== undefined && {
        requestBody: { ...operation.requestBody, content: complete(operation.requestBody.content) },
      }),
      ...(operation.responses !== undefined && {
        responses: mapValues(operation.responses, (response) =>
          response.content === undefined
            ? response
            : { ...response, content: complete(response.content) },
        ),
      }),
    })),
  );
  return { ...document, paths };
}

/** A value that fits a schema, the same every time; `undefined` where none is found, such as for an unusual pattern. */
export function exampleOf(schema: OpenApiSchema, document: OpenApiDocument, name = ''): unknown {
  const { $ref: ref, examples, anyOf, oneOf, allOf } = schema;
  if (typeof ref === 'string') return exampleOf(resolve(ref, document), document, name);
  if (Array.isArray(examples)) return examples[0];
  if ('const' in schema) return schema['const'];
  if (Array.isArray(schema['enum'])) return schema['enum'][0];
  if ('default' in schema) return schema['default'];
  const choices = (anyOf ?? oneOf) as readonly OpenApiSchema[] | undefined;
  if (choices !== undefined)
    return choices
      .filter((choice) => choice['type'] !== 'null')
      .map((choice) => exampleOf(choice, document, name))
      .find((example) => example !== undefined);
  if (Array.isArray(allOf))
    return Object.assign({}, ...allOf.map((each) => exampleOf(each, document, name)));
  const make = byType[String(schema['type'])];
  return make === undefined ? {} : make(schema, document, name);
}

type Make = (schema: OpenApiSchema, document: OpenApiDocument, name: string) => unknown;

const byType: Readonly<Record<string, Make>> = {
  object(schema, document) {
    const properties = (schema['properties'] ?? {}) as Record<string, OpenApiSchema>;
    const required = (schema['required'] ?? []) as readonly string[];
    const made = Object.entries(properties).map(
      ([key, property]) => [key, exampleOf(property, document, key)] as const,
    );
    const known = made.filter(([, value]) => value !== undefined);
    const isWhole = required.every((key) => known.some(([each]) => each === key));
    return isWhole ? Object.fromEntries(known) : undefined;
  },
  array(schema, document, name) {
    const { items, prefixItems, minItems = 1, maxItems = 1 } = schema;
    if (Array.isArray(prefixItems))
      return prefixItems.map((each: OpenApiSchema) => exampleOf(each, document, name));
    if (items === undefined || maxItems === 0) return [];
    const item = exampleOf(items as OpenApiSchema, document, name);
    return item === undefined ? undefined : Array.from({ length: Number(minItems) }, () => item);
  },
  integer: exampleNumber,
  number: exampleNumber,
  boolean: () => true,
  null: () => null,
  string: exampleText,
};

function exampleNumber({ minimum, exclusiveMinimum, maximum, multipleOf = 1 }: OpenApiSchema) {
  const least = Number(
    minimum ?? (exclusiveMinimum === undefined ? 1 : Number(exclusiveMinimum) + 1),
  );
  return Math.min(
    Math.ceil(least / Number(multipleOf)) * Number(multipleOf),
    Number(maximum ?? least + 1),
  );
}

const byFormat: Readonly<Record<string, string>> = {
  uuid: '01980000-0000-7000-8000-000000000000',
  'date-time': '2026-01-01T12:00:00.000Z',
  date: '2026-01-01',
  time: '12:00',
  email: 'person@example.com',
  uri: 'https://example.com/',
  'uri-reference': '/path',
  ipv4: '192.0.2.1',
  ipv6: '2001:db8::1',
};

const byName: readonly (readonly [RegExp, string])[] = [
  [/(?:^i|I)d$/, byFormat['uuid'] as string],
  [/At$|since|until/i, byFormat['date-time'] as string],
  [/email$/i, byFormat['email'] as string],
  [/ur[li]$/i, byFormat['uri'] as string],
];

function exampleText(schema: OpenApiSchema, _: OpenApiDocument, name: string): string | undefined {
  const { format, pattern, minLength = 0, maxLength = 64 } = schema;
  const known = byFormat[String(format)];
  const matcher = typeof pattern === 'string' ? new RegExp(pattern) : /^/;
  const named = byName.filter(([form]) => form.test(name)).map(([, text]) => text);
  const sizes = [Number(minLength), Number(maxLength), 43, 22, 6, 1].filter((size) => size <= 512);
  return [
    ...(known === undefined ? named : [known]),
    'text',
    name,
    ...Object.values(byFormat),
    'text.text',
    '*',
    ...sizes.flatMap((size) => ['a', 'A', '1'].map((letter) => letter.repeat(size))),
  ].find(
    (text) =>
      matcher.test(text) && text.length >= Number(minLength) && text.length <= Number(maxLength),
  );
}

function resolve(ref: string, document: OpenApiDocument): OpenApiSchema {
  const name = /^#\/components\/schemas\/(.+)$/.exec(ref)?.[1];
  return (document.components?.['schemas']?.[name ?? ''] ?? {}) as OpenApiSchema;
}
