import type { Connection } from '@svc/db';
import type { CommandContext, CommandResult } from './command.ts';
import type { DatabaseTarget } from './config.ts';
import { passwordsIn } from './passwords-in.ts';

/** Runs `work` on the database of the app, as the owner of its tables. */
export async function withDatabase(
  { config, environment, keepSecret }: CommandContext,
  work: (connection: Connection, target: DatabaseTarget) => Promise<CommandResult>,
  before: (target: DatabaseTarget) => void = () => {},
): Promise<CommandResult> {
  const target = await config.database(await config.settings?.(environment));
  const url = target.ownerUrl ?? target.url;
  for (const secret of [target.url, url]) passwordsIn(secret).forEach(keepSecret);
  before(target);
  // Loaded when it is needed, so that `--help` does not wait for database drivers.
  const { connect } = await import('@svc/db');
  // Migrations hold a lock on one connection and change things on none other.
  const connection = await connect(url, { poolSize: 2 });
  try {
    return await work(connection, target);
  } finally {
    await connection.close();
  }
}
