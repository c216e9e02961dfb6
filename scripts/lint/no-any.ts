import { placeOf } from './place.ts';
import { child, nameOf, type Node, type Rule } from './syntax.ts';

/** Where a library's type cannot be said otherwise: a `Transaction<A & B>` is no `Kysely<A>`, nor one app's `Hono` another's. */
const sanctioned: Record<string, readonly string[]> = {
  db: ['Db', 'Trx'],
  http: ['AnyApp'],
};

/** No `any`, except in the sanctioned aliases: `type Db = Kysely<any>`. */
export const noAny: Rule = {
  create(context) {
    const place = placeOf(context.filename);
    const inSource = place?.kind === 'packages' && place.part === 'src';
    const aliases = inSource ? (sanctioned[place.owner] ?? []) : [];
    return {
      TSAnyKeyword(node) {
        if (aliases.includes(aliasAround(node) ?? '')) return;
        const message =
          'Say what it is, or `unknown`. Only the aliases Db and Trx of @svc/db and AnyApp of @svc/http may say any.';
        context.report({ node, message });
      },
    };
  },
};

function aliasAround(node: Node): string | undefined {
  for (let above = node.parent; above !== null && above !== undefined; above = above.parent) {
    if (above.type === 'TSTypeAliasDeclaration') return nameOf(child(above, 'id'));
  }
  return undefined;
}
