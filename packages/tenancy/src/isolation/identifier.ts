/** A table by its full name. */
export interface QualifiedName {
  readonly schema: string;
  readonly name: string;
}

// Spliced into SQL (DDL takes no parameters), so the alphabet is closed; quoted all the same, since some are keywords.
const plain = /^[a-z_][a-z0-9_]{0,62}$/;

/** @throws {TypeError} on a name that needs quotes, or is longer than PostgreSQL keeps. */
export function quoted(identifier: string): string {
  if (!plain.test(identifier))
    throw new TypeError(
      'an SQL name has lower-case letters, digits and underscores, at most 63, and no digit first',
    );
  return `"${identifier}"`;
}

/** `app.projects`, or `projects` for one in `public`. @throws {TypeError} */
export function parseName(table: string): QualifiedName {
  const parts = table.split('.');
  const [schema, name] = parts.length === 1 ? ['public', parts[0]] : parts;
  if (parts.length > 2 || schema === undefined || name === undefined)
    throw new TypeError('a table is named schema.table');
  quoted(schema);
  quoted(name);
  return { schema, name };
}

export function quotedName({ schema, name }: QualifiedName): string {
  return `${quoted(schema)}.${quoted(name)}`;
}
