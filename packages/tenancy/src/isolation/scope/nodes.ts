import type { OperationNode } from 'kysely';

export function isNode(value: unknown): value is OperationNode {
  return typeof (value as { kind?: unknown } | null)?.kind === 'string';
}

// Their fields are values, not nodes: a value of a caller may look like anything.
const leaves: ReadonlySet<string> = new Set([
  'ValueNode',
  'PrimitiveValueListNode',
  'IdentifierNode',
  'OperatorNode',
]);

/** The node with each node right below it replaced by what `replace` gives; itself where nothing changes. */
export function mapChildren<Node extends OperationNode>(
  node: Node,
  replace: (child: OperationNode) => OperationNode,
): Node {
  if (leaves.has(node.kind)) return node;
  let changed: Record<string, unknown> | undefined;
  for (const [field, value] of Object.entries(node)) {
    const mapped = mapField(value, replace);
    if (mapped !== value) (changed ??= {})[field] = mapped;
  }
  return changed === undefined ? node : { ...node, ...changed };
}

function mapField(value: unknown, replace: (child: OperationNode) => OperationNode): unknown {
  if (isNode(value)) return replace(value);
  if (!Array.isArray(value)) return value;
  let changed = false;
  const mapped = value.map((item: unknown) => {
    const next = isNode(item) ? replace(item) : item;
    changed ||= next !== item;
    return next;
  });
  return changed ? mapped : value;
}
