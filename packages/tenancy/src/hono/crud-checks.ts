import { assertKey } from '../rows/names.ts';
import type { AnyObjectSchema } from './crud-schemas.ts';

// Set by the router; and the tenant comes from the request's identity.
const ownKeys = new Set(['id', 'version', 'createdAt', 'updatedAt', 'deletedAt']);

/** @throws {TypeError} */
export function assertCrud({
  create,
  change,
  body,
  searchable,
  sortable,
}: {
  create: AnyObjectSchema;
  change: AnyObjectSchema;
  body: AnyObjectSchema;
  searchable: readonly string[];
  sortable: readonly string[];
}): void {
  for (const schema of [create, change]) {
    if (schema.type !== 'strict_object')
      throw new TypeError('what a client sends is a v.strictObject: unknown keys are refused');
    for (const key of Object.keys(schema.entries)) {
      assertKey(key);
      if (ownKeys.has(key) || key.startsWith('tenant'))
        throw new TypeError(`a client does not set '${key}'`);
    }
  }
  for (const key of Object.keys(body.entries)) assertKey(key);
  for (const key of [...searchable, ...sortable]) {
    if (!Object.hasOwn(body.entries, key))
      throw new TypeError(`a client searches and orders by what it sees; '${key}' is not in body`);
  }
}
