/** A node of the tree that oxlint hands to a rule (ESTree), as far as the house rules look at it. */
export interface Node {
  readonly type: string;
  readonly parent?: Node | null;
  readonly [field: string]: unknown;
}

export interface RuleContext {
  readonly filename: string;
  readonly sourceCode: {
    readonly text: string;
    getAllComments(): readonly { value: string; loc: { end: { line: number } } }[];
  };
  report(problem: { node: Node; message: string }): void;
}

export interface Rule {
  create(context: RuleContext): Record<string, (node: Node) => void>;
}

/** A field that holds a node. */
export function child(node: Node | null | undefined, field: string): Node | undefined {
  const value = node?.[field];
  return typeof value === 'object' && value !== null && 'type' in value
    ? (value as Node)
    : undefined;
}

/** A field that holds a list of nodes. */
export function children(node: Node, field: string): readonly Node[] {
  const value = node[field];
  return Array.isArray(value) ? (value as Node[]) : [];
}

export function nameOf(node: Node | undefined): string | undefined {
  return node?.type === 'Identifier' ? String(node['name']) : undefined;
}

/** The text of a string literal or of a template without holes. */
export function literalText(node: Node | undefined): string | undefined {
  if (node?.type === 'Literal' && typeof node['value'] === 'string') return node['value'];
  if (node?.type !== 'TemplateLiteral' || children(node, 'expressions').length > 0)
    return undefined;
  const cooked = (children(node, 'quasis')[0]?.['value'] as { cooked?: string } | undefined)
    ?.cooked;
  return cooked;
}

/** What a member expression reads: `a.b` and `a['b']` alike; `undefined` when it is computed. */
export function memberName(node: Node): string | undefined {
  const property = child(node, 'property');
  return node['computed'] === true ? literalText(property) : nameOf(property);
}

const typeExpressions = new Set([
  'TSAsExpression',
  'TSSatisfiesExpression',
  'TSNonNullExpression',
  'TSInstantiationExpression',
]);
const keyed = new Set(['Property', 'MethodDefinition', 'PropertyDefinition', 'AccessorProperty']);

/** Whether an identifier stands for a value here, and is not merely a key, a label, an import or part of a type. */
export function isValue(node: Node): boolean {
  const parent = node.parent;
  if (parent === null || parent === undefined) return false;
  if (parent.type === 'MemberExpression')
    return child(parent, 'object') === node || parent['computed'] === true;
  if (keyed.has(parent.type)) return child(parent, 'value') === node || parent['computed'] === true;
  if (parent.type.startsWith('TS')) return typeExpressions.has(parent.type);
  return !/^(Import|Export)\w*Specifier$|^(Labeled|Break|Continue)Statement$/.test(parent.type);
}
