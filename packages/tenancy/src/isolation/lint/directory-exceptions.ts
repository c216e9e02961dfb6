import type { LintRule } from './finding.ts';

const why =
  'It says who belongs to which tenant, and is asked by user, session or token before any tenant is known; only this package reads it, after checking who asks.';

const rules: Readonly<Record<string, readonly LintRule[]>> = {
  'svc_tenancy.memberships': [],
  'svc_tenancy.invitations': ['primary-key-without-tenant', 'unique-key-without-tenant'],
  'svc_tenancy.selections': ['primary-key-without-tenant'],
  'svc_tenancy.deletions': ['primary-key-without-tenant'],
};

const ofAll: readonly LintRule[] = [
  'row-security-off',
  'row-security-not-forced',
  'policy-missing',
  'table-not-registered',
];

/** What the linter does not find on the tables from which a request's tenant is told. */
export const directoryExceptions = Object.entries(rules).flatMap(([table, own]) =>
  [...ofAll, ...own].map((rule) => ({ table, rule, why })),
);
