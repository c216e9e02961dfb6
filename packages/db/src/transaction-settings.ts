import { AsyncLocalStorage } from 'node:async_hooks';

/** Settings of the server by their names, such as `app.tenant_id`. */
export type TransactionSettings = Readonly<Record<string, string>>;

// Kysely hands a driver the isolation of a transaction and nothing else.
const waiting = new AsyncLocalStorage<{ statement: string }>();

/** Runs `begin`, whose first BEGIN takes the settings with it, and the assertion after them. */
export function withSettings<T>(
  { settings, assertion }: { readonly settings?: TransactionSettings; readonly assertion?: string },
  begin: () => Promise<T>,
): Promise<T> {
  const calls = Object.entries(settings ?? {}).map(
    ([name, value]) => `set_config(${literal(settingName(name))}, ${literal(value)}, true)`,
  );
  const set = calls.length === 0 ? '' : `; select ${calls.join(', ')}`;
  const statement = assertion === undefined ? set : `${set}; ${assertion}`;
  return statement === '' ? begin() : waiting.run({ statement }, begin);
}

/** What follows BEGIN: once, as what runs within the transaction may begin others. */
export function takeSettings(): string {
  const store = waiting.getStore();
  if (store === undefined) return '';
  const { statement } = store;
  store.statement = '';
  return statement;
}

function settingName(name: string): string {
  if (!/^[a-z_]+(\.[a-z_]+)?$/.test(name)) throw new TypeError('a setting has no such name');
  return name;
}

// Also right where standard_conforming_strings is off.
function literal(text: string): string {
  if (text.includes('\0')) throw new TypeError('PostgreSQL keeps no NUL character');
  return ` e'${text.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}
