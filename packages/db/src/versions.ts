import { type RawBuilder, sql } from 'kysely';
import { AlreadyExists, StaleVersion } from './failures.ts';

export interface ExpectUpdatedOptions {
  /** Looks for the row by its id alone, with the same scope. */
  find: () => Promise<unknown>;
  /** What to throw when there is no such row. */
  notFound: () => Error;
}

/**
 * The row that `update … where id = $1 and version = $2 returning *` gave; where it gave none, looks why.
 *
 * @throws {StaleVersion} when the row is there: its version is another by now.
 */
export async function expectUpdated<Row>(
  row: Row | undefined,
  { find, notFound }: ExpectUpdatedOptions,
): Promise<Row> {
  if (row !== undefined) return row;
  const current = await find();
  throw current === undefined || current === null ? notFound() : new StaleVersion();
}

/** `where(hasVersion(versions))`: that the column `version` is one of these. Of none it is false, where `in ()` is no SQL. */
export const hasVersion = (versions: readonly number[]): RawBuilder<boolean> =>
  sql<boolean>`version = any(${versions})`;

/**
 * The row that `insert … on conflict do nothing returning *` gave: for who writes only what is not there yet.
 *
 * @throws {AlreadyExists} when it gave none.
 */
export function expectInserted<Row>(row: Row | undefined): Row {
  if (row === undefined) throw new AlreadyExists();
  return row;
}
