import { isNamed, placeOf } from './place.ts';
import {
  child,
  children,
  literalText,
  memberName,
  nameOf,
  type Node,
  type Rule,
} from './syntax.ts';

const message =
  'Only settings.ts and testing.ts read the environment. Take the value as an option.';

/** Nothing but `settings.ts` and `testing.ts` reads `process.env`. */
export const ambientEnvironment: Rule = {
  create(context) {
    const place = placeOf(context.filename);
    if (place?.part !== 'src' || isNamed(place, 'settings', 'testing')) return {};
    const report = (node: Node) => context.report({ node, message });

    return {
      MemberExpression(node) {
        const object = child(node, 'object');
        const member = memberName(node);
        const onProcess =
          nameOf(object) === 'process' ||
          (object?.type === 'MemberExpression' && memberName(object) === 'process');
        if (onProcess && (member === 'env' || node['computed'] === true)) report(node);
        if (nameOf(object) === 'Bun' && member === 'env') report(node);
        if (object?.type === 'MetaProperty' && member === 'env') report(node);
      },
      VariableDeclarator(node) {
        const target = child(node, 'id');
        if (nameOf(child(node, 'init')) !== 'process') return;
        const names =
          target?.type === 'ObjectPattern'
            ? children(target, 'properties').map((p) => nameOf(child(p, 'key')))
            : ['env'];
        if (names.includes('env') || names.includes(undefined)) report(node);
      },
      ImportDeclaration(node) {
        const module = literalText(child(node, 'source'))?.replace(/^(node|bun):?/, '');
        if (module !== 'process' && module !== '') return;
        for (const specifier of children(node, 'specifiers')) {
          if (nameOf(child(specifier, 'imported')) === 'env') report(specifier);
          // A default or namespace import under another name would hide what is read from it.
          else if (
            specifier.type !== 'ImportSpecifier' &&
            nameOf(child(specifier, 'local')) !== 'process'
          )
            report(specifier);
        }
      },
    };
  },
};
