import type { Catalogue, CataloguePolicy, CatalogueTable } from './catalogue.ts';
import type { Finding } from './finding.ts';

/** Row-level security of each tenant table, and its policies. */
export function securityFindings({ tables, policies }: Catalogue): Finding[] {
  return tables.flatMap((table) => [
    ...switchFindings(table),
    ...policyFindings(
      table,
      policies.filter((policy) => policy.table === table.oid),
    ),
  ]);
}

function switchFindings({ name, column, enabled, forced, nullable }: CatalogueTable): Finding[] {
  const findings: Finding[] = [];
  if (!enabled)
    findings.push({
      table: name,
      rule: 'row-security-off',
      message: 'Row-level security is off: policies are ignored.',
      fix: `alter table ${name} enable row level security`,
    });
  if (!forced)
    findings.push({
      table: name,
      rule: 'row-security-not-forced',
      message: 'Row-level security does not hold for the owner of the table.',
      fix: `alter table ${name} force row level security`,
    });
  if (nullable)
    findings.push({
      table: name,
      rule: 'tenant-nullable',
      message: `A row may have no ${column}, and then nobody finds it, nor deletes it with a tenant.`,
      fix: `alter table ${name} alter column ${column} set not null`,
    });
  return findings;
}

function policyFindings(table: CatalogueTable, policies: readonly CataloguePolicy[]): Finding[] {
  const fix = `isolateByTenant('${table.name}')`;
  const permissive = policies.filter((policy) => policy.permissive);
  if (permissive.length === 0)
    return [
      {
        table: table.name,
        rule: 'policy-missing',
        message: 'No policy lets a tenant see its rows.',
        fix,
      },
    ];
  const isolating = permissive.filter((policy) => isIsolation(policy, table));
  const findings: Finding[] =
    isolating.length > 0
      ? []
      : [
          {
            table: table.name,
            rule: 'policy-form',
            message:
              'No policy for all commands and roles compares the tenant, in using and in with check, to the setting in a sub-select that is read once per statement.',
            fix,
          },
        ];
  for (const policy of permissive) {
    if (isolating.includes(policy) || isSystem(policy)) continue;
    findings.push({
      table: table.name,
      rule: 'policy-too-wide',
      message: `The policy ${policy.name} lets more through: permissive policies add up.`,
      fix: `drop policy ${policy.name} on ${table.name}`,
    });
  }
  return findings;
}

const squeezed = (expression: string | null) => (expression ?? '').replaceAll(/\s+/g, '');

function isIsolation(
  { command, forAll, using, check }: CataloguePolicy,
  { column, type }: CatalogueTable,
): boolean {
  const setting = `NULLIF(current_setting('app.tenant_id'::text,true),''::text)`;
  const value = type === 'text' ? setting : `(${setting})::${type}`;
  const expected = `(${column}=(SELECT${value}AS"nullif"))`;
  return command === '*' && forAll && squeezed(using) === expected && squeezed(check) === expected;
}

function isSystem({ command, using, check }: CataloguePolicy): boolean {
  const expected =
    /^\(SELECT\(current_setting\('app\.tenancy'::text,true\)='system'::text\)(?:AS"\?column\?")?\)$/;
  return command === '*' && expected.test(squeezed(using)) && expected.test(squeezed(check));
}
