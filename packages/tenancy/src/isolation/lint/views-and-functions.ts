import type { Catalogue } from './catalogue.ts';
import type { Finding } from './finding.ts';

/** What runs with the rights of whoever made it, for whom row-level security may not hold. */
export function viewAndFunctionFindings({ tables, views, functions }: Catalogue): Finding[] {
  const findings: Finding[] = views.flatMap(
    ({ name, target, materialized, invoker }): Finding[] => {
      if (materialized)
        return [
          {
            table: name,
            rule: 'materialized-view',
            message: `It keeps rows of ${target}, and has no row-level security.`,
            fix: `drop materialized view ${name}; keep what it computes in a table with the tenant`,
          },
        ];
      if (invoker) return [];
      return [
        {
          table: name,
          rule: 'view-not-invoker',
          message: `It reads ${target} with the rights of its owner.`,
          fix: `alter view ${name} set (security_invoker = true)`,
        },
      ];
    },
  );
  const named = tables.map(({ name }) => name.split('.')[1] ?? name);
  for (const { name, source, searchPathPinned, ownerBypasses } of functions) {
    const words = new Set(source.split(/[^\w$]+/));
    const read = named.find((table) => words.has(table));
    if (read !== undefined || ownerBypasses)
      findings.push({
        table: name,
        rule: 'definer-function',
        message:
          read === undefined
            ? 'It runs with the rights of an owner for whom row-level security does not hold.'
            : `It names ${read} and runs with the rights of its owner.`,
        fix: `alter function ${name} security invoker`,
      });
    if (!searchPathPinned)
      findings.push({
        table: name,
        rule: 'function-search-path',
        message: 'It runs with the rights of its owner, on tables that its caller may choose.',
        fix: `alter function ${name} set search_path = ''`,
      });
  }
  return findings;
}
