import { type Db, surroundingsOf } from './connection.ts';
import type { ListenHandlers } from './session.ts';

/**
 * Calls `onNotify` at every `NOTIFY` on this channel, on a connection of its own beside the pool. When that connection
 * is gone `onLost` is called, once, and nothing more comes: whoever needs it listens again, and looks for what was missed.
 *
 * @throws {DatabaseUnavailable} when it cannot begin.
 * @throws {TypeError} within a transaction, and on a channel that needs quotes.
 */
export async function listen(
  db: Db,
  channel: string,
  handlers: ListenHandlers,
): Promise<AsyncDisposable> {
  if (!/^[a-z_][a-z0-9_]{0,62}$/.test(channel))
    throw new TypeError(`${channel} is not a plain channel name`);
  const { listen: open } = surroundingsOf(db);
  if (db.isTransaction || open === undefined)
    throw new TypeError('listen needs the db of a connection, not a transaction');
  return open(channel, handlers);
}
