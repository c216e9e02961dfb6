import { placeOf } from './place.ts';
import {
  child,
  children,
  isValue,
  literalText,
  memberName,
  nameOf,
  type Node,
  type Rule,
} from './syntax.ts';

const clock = 'Take time from the Clock option (now, elapsedMs, sleep).';
const chance = 'Take ids and randomness from an option (newId, randomBytes).';

const bannedGlobals = new Map([
  ['setTimeout', clock],
  ['setInterval', clock],
  ['setImmediate', clock],
  ['performance', clock],
  ['Temporal', clock],
]);

const bannedMembers = new Map([
  ['Math.random', chance],
  ['crypto.randomUUID', chance],
  ['crypto.getRandomValues', chance],
  ['process.hrtime', clock],
  ['process.uptime', clock],
  ['AbortSignal.timeout', clock],
  ['Bun.sleep', clock],
  ['Bun.sleepSync', clock],
  ['Bun.nanoseconds', clock],
  ['Bun.randomUUIDv7', chance],
]);

const bannedModules = new Map([
  ['timers', clock],
  ['timers/promises', clock],
]);

const bannedImports = new Map([
  ['perf_hooks.performance', clock],
  ['crypto.randomUUID', chance],
  ['process.hrtime', clock],
]);

const globalObjects = new Set(['globalThis', 'global', 'window', 'self']);
/** What is read through `globalThis.x` is judged as if it were `x`; these have an innocent use, the others none. */
const guardedGlobals = new Set([...bannedGlobals.keys(), 'Date', 'Math', 'process', 'crypto']);

/** Nothing outside core reads the clock, sleeps, or rolls dice by itself: tests could not hold it in their hands. */
export const ambientTime: Rule = {
  create(context) {
    const place = placeOf(context.filename);
    if (place?.part !== 'src' || (place.kind === 'packages' && place.owner === 'core')) return {};
    const report = (node: Node, what: string, instead: string) =>
      context.report({ node, message: `${what} is for core alone. ${instead}` });

    return {
      Identifier(node) {
        if (!isValue(node)) return;
        const name = nameOf(node) ?? '';
        const banned = bannedGlobals.get(name);
        if (banned !== undefined) report(node, name, banned);
        else if (name === 'Date' && !isInnocentDate(node)) report(node, 'The time of day', clock);
        else if (globalObjects.has(name) && !isInnocentGlobalObject(node))
          report(node, `${name} used to reach a global`, clock);
        else if (name === 'Math' && isTakenApart(node)) report(node, 'Math.random', chance);
      },
      MemberExpression(node) {
        const member = memberName(node);
        const owner = nameOf(child(node, 'object'));
        if (owner !== undefined && member === undefined && (owner === 'Math' || owner === 'crypto'))
          report(node, `${owner}[…]`, chance);
        const banned = member === 'randomUUID' ? chance : bannedMembers.get(`${owner}.${member}`);
        if (banned !== undefined) report(node, `${owner ?? '…'}.${member}`, banned);
      },
      ImportDeclaration: (node) => judgeImport(node, literalText(child(node, 'source')), report),
      ExportNamedDeclaration: (node) =>
        judgeImport(node, literalText(child(node, 'source')), report),
      ImportExpression: (node) => judgeImport(node, literalText(child(node, 'source')), report),
      CallExpression(node) {
        const callee = child(node, 'callee');
        const required =
          nameOf(callee) === 'require' ||
          (callee?.type === 'MemberExpression' && memberName(callee) === 'getBuiltinModule');
        if (required) judgeImport(node, literalText(children(node, 'arguments')[0]), report);
      },
    };
  },
};

function judgeImport(
  node: Node,
  source: string | undefined,
  report: (node: Node, what: string, instead: string) => void,
): void {
  const module = source?.replace(/^node:/, '');
  if (module === undefined || node['importKind'] === 'type') return;
  const banned = bannedModules.get(module);
  if (banned !== undefined) return report(node, source as string, banned);
  for (const specifier of children(node, 'specifiers')) {
    const name = nameOf(child(specifier, 'imported')) ?? nameOf(child(specifier, 'local'));
    const instead = bannedImports.get(`${module}.${name}`);
    if (instead !== undefined) report(specifier, `${module}.${name}`, instead);
    else if (module === 'perf_hooks' && specifier.type !== 'ImportSpecifier')
      report(specifier, 'perf_hooks as a whole', clock);
  }
}

/** `new Date(value)`, `Date.parse`, `Date.UTC`, `instanceof Date`, and handing the class over as an argument. */
function isInnocentDate(node: Node): boolean {
  const parent = node.parent as Node;
  if (parent.type === 'NewExpression' && child(parent, 'callee') === node) {
    const first = children(parent, 'arguments')[0];
    return first !== undefined && first.type !== 'SpreadElement';
  }
  if (parent.type === 'MemberExpression')
    return ['parse', 'UTC', 'prototype'].includes(memberName(parent) ?? '');
  if (parent.type === 'BinaryExpression') return parent['operator'] === 'instanceof';
  if (parent.type !== 'CallExpression' || child(parent, 'callee') === node) return false;
  const callee = child(parent, 'callee');
  return !(callee?.type === 'MemberExpression' && nameOf(child(callee, 'object')) === 'Reflect');
}

function isInnocentGlobalObject(node: Node): boolean {
  const parent = node.parent as Node;
  if (parent.type === 'BinaryExpression') return true;
  if (parent.type !== 'MemberExpression')
    return (
      ['TSAsExpression', 'TSSatisfiesExpression'].includes(parent.type) && !isTakenApart(parent)
    );
  const member = memberName(parent);
  return member !== undefined && !guardedGlobals.has(member);
}

/** `const { x } = Math` or `const m = Math`. */
function isTakenApart(node: Node): boolean {
  const parent = node.parent;
  return (
    (parent?.type === 'VariableDeclarator' && child(parent, 'init') === node) ||
    (parent?.type === 'AssignmentExpression' && child(parent, 'right') === node)
  );
}
