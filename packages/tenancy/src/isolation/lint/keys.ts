import type { Catalogue } from './catalogue.ts';
import type { Finding } from './finding.ts';

/** Indexes, keys and foreign keys: row-level security does not hold for the last two. */
export function keyFindings({ column, tables, keys, references }: Catalogue): Finding[] {
  const findings: Finding[] = [];
  for (const { oid, name, ledByTenant } of tables) {
    if (!ledByTenant)
      findings.push({
        table: name,
        rule: 'index-without-tenant',
        message: `No index begins with ${column}: each statement reads the rows of all tenants.`,
        fix: `create index on ${name} (${column})`,
      });
    for (const key of keys) {
      if (key.table !== oid || key.hasTenant) continue;
      findings.push({
        table: name,
        rule: key.primary ? 'primary-key-without-tenant' : 'unique-key-without-tenant',
        message: `The key ${key.name} spans tenants: a value that one has is refused to the other, who learns of it.`,
        fix: `make it (${column}, …)`,
      });
    }
  }
  for (const { table, name, target, hasColumn, hasTenant } of references) {
    if (!hasColumn)
      findings.push({
        table,
        rule: 'tenant-column-missing',
        message: `It refers to ${target} by ${name}, but its rows do not say whose they are.`,
        fix: `alter table ${table} add column ${column}, then isolateByTenant('${table}')`,
      });
    else if (!hasTenant)
      findings.push({
        table,
        rule: 'foreign-key-without-tenant',
        message: `The foreign key ${name} accepts a row of another tenant in ${target}.`,
        fix: `foreign key (${column}, …) references ${target} (${column}, …)`,
      });
  }
  return findings;
}
