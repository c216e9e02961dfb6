import type { Command } from '../command.ts';
import type { TenantFinding } from '../config.ts';
import { UsageError } from '../usage-error.ts';
import { withDatabase } from '../with-database.ts';

export const lint: Command = {
  summary:
    'Find every way past the isolation of tenants that the catalogue shows. Changes nothing.',
  flags: {},
  run: async (context) => {
    const { lint: find } = context.config.tenants ?? {};
    if (find === undefined)
      throw new UsageError('the config says nothing of tenants: give it tenants.lint');
    return withDatabase(context, async ({ db }, { appRole }) => {
      const findings = await find(db, appRole === undefined ? {} : { appRole });
      return {
        text: findings.map(line).join('\n') || 'There is no way past the isolation of tenants.',
        json: { findings },
        exitCode: findings.length === 0 ? 0 : 1,
      };
    });
  },
};

const line = ({ table, rule, message, fix }: TenantFinding) =>
  `${table}: ${rule}: ${message}\n  ${fix}`;
