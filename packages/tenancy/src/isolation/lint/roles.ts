import type { Catalogue } from './catalogue.ts';
import type { Finding } from './finding.ts';

/** What the app's role may do that row-level security does not hold for. */
export function roleFindings({ role, tables }: Catalogue): Finding[] {
  if (role.superuser || role.bypasses)
    return [
      {
        table: role.name,
        rule: 'role-bypasses',
        message: `The role is ${role.superuser ? 'a superuser' : 'one with BYPASSRLS'}: row-level security is silently off.`,
        fix: 'run the app as a role that is neither (connect with `role`, or log in as one)',
      },
    ];
  return tables.flatMap(({ name, owned, truncate }): Finding[] => [
    ...(owned
      ? [
          {
            table: name,
            rule: 'role-owns-table' as const,
            message: `The role ${role.name} owns it, and may switch row-level security off.`,
            fix: 'let another role own the tables and run the migrations',
          },
        ]
      : []),
    ...(truncate && !owned
      ? [
          {
            table: name,
            rule: 'truncate-granted' as const,
            message: `The role ${role.name} may truncate it, which no policy restrains.`,
            fix: `revoke truncate on ${name} from ${role.name}, public`,
          },
        ]
      : []),
  ]);
}
