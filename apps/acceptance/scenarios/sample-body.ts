import { randomUUID } from 'node:crypto';

/** As much of a JSON Schema as the app's document uses. */
export interface Schema {
  readonly type?: string | readonly string[];
  readonly format?: string;
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly minimum?: number;
  readonly minLength?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly items?: Schema;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly allOf?: readonly Schema[];
}

/** A value that fits a schema, with every property there is; `uuid` names the ids in it. */
export function sampleOf(schema: Schema, uuid: (name: string) => string, name = ''): unknown {
  const { type, format, enum: values, minLength = 1 } = schema;
  const [choice] = schema.anyOf ?? schema.oneOf ?? [];
  if (choice !== undefined) return sampleOf(choice, uuid, name);
  if (schema.allOf !== undefined)
    return Object.assign({}, ...schema.allOf.map((each) => sampleOf(each, uuid, name)));
  if ('const' in schema) return schema.const;
  if (values !== undefined) return values[0];
  if (type === 'object' || schema.properties !== undefined)
    return Object.fromEntries(
      Object.entries(schema.properties ?? {}).map(([key, each]) => [
        key,
        sampleOf(each, uuid, key),
      ]),
    );
  if (type === 'array') return schema.items === undefined ? [] : [sampleOf(schema.items, uuid)];
  if (type === 'integer' || type === 'number') return schema.minimum ?? 1;
  if (type === 'boolean') return true;
  if (type === 'null') return null;
  if (format === 'uuid' || /(?:^i|I)d$/.test(name)) return uuid(name);
  if (format === 'date-time') return '2026-01-01T00:00:00Z';
  // A mailbox of its own every time: how many mails one mailbox is asked to be sent has a limit.
  if (format === 'email' || name === 'email') return `${randomUUID()}@example.test`;
  if (name === 'role') return 'member';
  return 'x'.repeat(minLength);
}
