import type {
  ColumnNode,
  IdentifierNode,
  OperationNode,
  RawNode,
  ReferenceNode,
  SchemableIdentifierNode,
  TableNode,
} from 'kysely';
import type { TenantTable } from '../tenant-tables.ts';

// What would change who the transaction is, or what it may see.
const escapes =
  /app\.tenan|\bset_config\b|\brow_security\b|\b(?:re)?set\s+(?:local\s+|session\s+)?(?:role|session\s+authorization|all)\b|\bdiscard\b|\bu&"/i;

/** What a piece of raw SQL says that a scope must not let through; undefined when nothing. */
export function refusalOf(node: RawNode, named: NamedIn): string | undefined {
  const text = textOf(node);
  if (escapes.test(text)) return 'changes settings or the role of the transaction';
  const table = named(text);
  return table === undefined ? undefined : `names ${table.schema}.${table.name} in raw SQL`;
}

/** The tenant table that a text names, other than to qualify a column. */
export type NamedIn = (text: string) => TenantTable | undefined;

export function namedIn(tables: readonly TenantTable[]): NamedIn {
  if (tables.length === 0) return () => undefined;
  const names = [...new Set(tables.map((table) => table.name))].join('|');
  // Not `projects.name`: a column cannot be read unless its table is named as well.
  const word = new RegExp(`(?<![\\w$])(?:${names})(?![\\w$]|"?\\s*\\.)`, 'gi');
  return (text) => {
    for (const { 0: found, index } of text.matchAll(word)) {
      const schema = /([\w$]+)"?\s*\.\s*"?$/.exec(text.slice(0, index))?.[1]?.toLowerCase();
      const table = tables.find(
        ({ schema: own, name }) =>
          name === found.toLowerCase() && (schema === undefined || schema === own),
      );
      if (table !== undefined) return table;
    }
    return undefined;
  };
}

/** What it will read as, with `?` for values and for the nodes that are looked at by themselves. */
function textOf(node: OperationNode): string {
  switch (node.kind) {
    case 'RawNode': {
      const { sqlFragments, parameters } = node as RawNode;
      return sqlFragments
        .map(
          (fragment, at) =>
            fragment + (at < parameters.length ? textOf(parameters[at] as OperationNode) : ''),
        )
        .join('');
    }
    case 'IdentifierNode':
      return `"${(node as IdentifierNode).name}"`;
    case 'ColumnNode':
      return textOf((node as ColumnNode).column);
    case 'SchemableIdentifierNode': {
      const { schema, identifier } = node as SchemableIdentifierNode;
      return (schema === undefined ? '' : `${textOf(schema)}.`) + textOf(identifier);
    }
    case 'TableNode':
      return textOf((node as TableNode).table);
    case 'ReferenceNode': {
      const { table, column } = node as ReferenceNode;
      return (table === undefined ? '' : `${textOf(table)}.`) + textOf(column);
    }
    default:
      return '?';
  }
}
