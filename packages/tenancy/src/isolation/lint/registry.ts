import { nameOf, type TenantTables } from '../tenant-tables.ts';
import type { Catalogue } from './catalogue.ts';
import type { Finding } from './finding.ts';

/** The app's list of tenant tables, compared with what there is. */
export function registryFindings({ tables, column }: Catalogue, list: TenantTables): Finding[] {
  const listed = new Set(
    [...list.tables, ...list.unscoped, ...list.kept]
      .filter((table) => table.column === column)
      .map(nameOf),
  );
  const found = new Set(tables.map(({ name }) => name));
  return [
    ...[...found]
      .filter((name) => !listed.has(name))
      .map((name): Finding => ({
        table: name,
        rule: 'table-not-registered',
        message:
          'The list of tenant tables lacks it: the scope lets it through, export and deletion leave it out.',
        fix: `tenantTables([…, '${name}'])`,
      })),
    ...[...listed]
      .filter((name) => !found.has(name))
      .map((name): Finding => ({
        table: name,
        rule: 'registered-table-missing',
        message: `The list of tenant tables has it, but there is no such table with ${column}.`,
        fix: 'take it out of the list, or add the column',
      })),
  ];
}
