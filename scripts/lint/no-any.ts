import { placeOf } from './place.ts';
import { child, nameOf, type Node, type Rule } from './syntax.ts';

/** No `any`, except in the sanctioned aliases of @svc/db: `type Db = Kysely<any>`, and `Trx` for its transaction. */
export const noAny: Rule = {
  create(context) {
    const place = placeOf(context.filename);
    const inDb = place?.kind === 'packages' && place.owner === 'db' && place.part === 'src';
    return {
      TSAnyKeyword(node) {
        if (inDb && isSanctioned(node)) return;
        context.report({
          node,
          message: 'Say what it is, or `unknown`. Only `type Db = Kysely<any>` may say any.',
        });
      },
    };
  },
};

function isSanctioned(node: Node): boolean {
  for (let above = node.parent; above !== null && above !== undefined; above = above.parent) {
    if (above.type === 'TSTypeAliasDeclaration')
      return ['Db', 'Trx'].includes(nameOf(child(above, 'id')) ?? '');
  }
  return false;
}
