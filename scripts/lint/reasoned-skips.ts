import {
  child,
  children,
  literalText,
  memberName,
  nameOf,
  type Node,
  type Rule,
} from './syntax.ts';

const testFunctions = new Set(['it', 'test', 'describe', 'suite', 'bench', 'databaseTest']);
const contexts = new Set(['context', 'ctx', 'task', 't']);
const skipping = new Set(['skip', 'todo', 'skipIf', 'runIf', 'fails']);
const marker = /^\s*skipped because \S+/;

/**
 * No test is focused, and none is skipped in silence: `context.skip('why')` says why, and
 * `it.skip` stands under a comment `// skipped because …`.
 */
export const reasonedSkips: Rule = {
  create(context) {
    const reasonLines = () =>
      new Set(
        context.sourceCode
          .getAllComments()
          .filter((c) => marker.test(c.value))
          .map((c) => c.loc.end.line),
      );
    return {
      MemberExpression(node) {
        const verb = memberName(node) ?? '';
        const on = rootName(child(node, 'object'));
        if (on === undefined || !testFunctions.has(on)) return;
        if (verb === 'only')
          return context.report({ node, message: 'A focused test hides all the others.' });
        const line = (node['loc'] as { start: { line: number } }).start.line;
        if (!skipping.has(verb) || reasonLines().has(line - 1)) return;
        context.report({ node, message: `A ${verb} needs a line above it: // skipped because …` });
      },
      CallExpression(node) {
        const callee = child(node, 'callee');
        if (callee?.type !== 'MemberExpression' || memberName(callee) !== 'skip') return;
        if (!contexts.has(nameOf(child(callee, 'object')) ?? '')) return;
        const given = children(node, 'arguments');
        const reason =
          literalText(given.at(-1)) ?? (given.at(-1)?.type === 'TemplateLiteral' ? 'a text' : '');
        if (reason.trim() === '' && !(given.length > 0 && given.at(-1)?.type === 'Identifier')) {
          context.report({ node, message: 'Say why it is skipped: context.skip(reason).' });
        }
      },
    };
  },
};

/** The `it` of `it.concurrent.skip`, `it.each(rows).only`. */
function rootName(node: Node | undefined): string | undefined {
  if (node?.type === 'MemberExpression') return rootName(child(node, 'object'));
  if (node?.type === 'CallExpression') return rootName(child(node, 'callee'));
  return nameOf(node);
}
