import type { Cipher, Clock, NewId } from '@svc/core';
import { type Db, transact, type Trx } from '@svc/db';
import { type CryptoKey, exportJWK, generateKeyPair, importJWK } from 'jose';
import { signingKeyPublished } from './events.ts';
import { type SigningKeyRow, tablesOf } from './tables.ts';

/** A public key as RFC 8037 writes it. */
export interface PublicJwk {
  readonly kty: 'OKP';
  readonly crv: 'Ed25519';
  readonly x: string;
  readonly kid: string;
  readonly alg: 'EdDSA';
  readonly use: 'sig';
}

export interface SigningKey {
  readonly id: string;
  readonly publicJwk: PublicJwk;
  readonly publicKey: CryptoKey;
  readonly privateKey: CryptoKey;
  readonly activatesAt: Date;
  /** When its last token has expired; `null` while it has no successor. */
  readonly endsAt: Date | null;
}

/**
 * The signing keys of one issuer, in the database. There is always a next one, published long before it signs; which
 * one is active follows from the time alone, so that processes need not agree on anything when it changes.
 */
export interface SigningKeys {
  /** Those whose tokens may be alive, and the next; makes the first two. At most a minute old. */
  list(): Promise<readonly SigningKey[]>;
  /** The one that signs now. */
  active(): Promise<SigningKey>;
  /** Adds the key that is due and removes those whose tokens have expired; whether this call added one. */
  renew(): Promise<boolean>;
  /** Activates the next key now, if it was published for long enough, and adds a new next one; whether this call did. */
  hasten(): Promise<boolean>;
}

export interface SigningKeysOptions {
  db: Db;
  issuer: string;
  cipher: Cipher;
  rotateEveryMs: number;
  clock: Clock;
  newId: NewId;
  name: string;
}

/** How long a key is published before it signs: receivers keep key sets for an hour, and caches between for minutes. */
export const publishAheadMs = 2 * 60 * 60_000;
/** How long a key that was replaced is published: an hour for its tokens, the rest for clocks and for processes that have not noticed. */
const retainMs = 70 * 60_000;
const rereadEveryMs = 60_000;

export function createSigningKeys(options: SigningKeysOptions): SigningKeys {
  const { db, clock } = options;
  let cached: { readonly keys: readonly SigningKey[]; readonly readAtMs: number } | undefined;
  let reading: Promise<readonly SigningKey[]> | undefined;

  async function read(): Promise<readonly SigningKey[]> {
    let rows = await readRows(db, options.issuer);
    if (rows.length === 0) {
      announce(options, await addDue(db, options, rows));
      rows = await readRows(db, options.issuer);
    }
    const keys = await openKeys(options, rows);
    cached = { keys, readAtMs: clock.elapsedMs() };
    return keys;
  }
  async function list() {
    if (cached === undefined || clock.elapsedMs() - cached.readAtMs >= rereadEveryMs) {
      reading ??= read().finally(() => (reading = undefined));
      await reading;
    }
    return (cached?.keys ?? []).filter((key) => isAlive(key.endsAt, clock.now()));
  }
  function noted(added: readonly SigningKeyRow[]): boolean {
    if (added.length > 0) cached = undefined;
    announce(options, added);
    return added.length > 0;
  }
  return {
    list,
    async active() {
      const [keys, now] = [await list(), clock.now()];
      // By a clock that is behind that of whoever made it, the first key is not active yet.
      const key = keys.findLast((each) => each.activatesAt <= now) ?? keys[0];
      if (key === undefined) throw new Error('there is no signing key');
      return key;
    },
    async renew() {
      const rows = await readRows(db, options.issuer);
      const added = await addDue(db, options, rows);
      await removeEnded(db, rows, clock.now());
      return noted(added);
    },
    hasten: async () => noted(await transact(db, (trx) => hasten(trx, options))),
  };
}

function readRows(db: Db, issuer: string): Promise<SigningKeyRow[]> {
  return tablesOf(db)
    .selectFrom('svc_auth.signing_keys')
    .selectAll()
    .where('issuer', '=', issuer)
    .orderBy('generation')
    .execute();
}

const isAlive = (endsAt: Date | null, now: Date) => endsAt === null || endsAt > now;

function endOf(rows: readonly SigningKeyRow[], index: number): Date | null {
  const successor = rows[index + 1];
  return successor === undefined ? null : new Date(successor.activates_at.getTime() + retainMs);
}

/** Adds the successor of a newest key that is active, or the first two. Answers what it added: nothing when another process did. */
async function addDue(
  db: Db,
  options: SigningKeysOptions,
  rows: readonly SigningKeyRow[],
): Promise<SigningKeyRow[]> {
  const { rotateEveryMs, clock } = options;
  const now = clock.now();
  const newest = rows.at(-1);
  if (newest !== undefined && newest.activates_at > now) return [];
  // After a long silence, a key still is published before it is used.
  const nextAtMs = Math.max(
    (newest?.activates_at ?? now).getTime() + rotateEveryMs,
    now.getTime() + publishAheadMs,
  );
  const generation = newest?.generation ?? 1;
  const drafts = [
    ...(newest === undefined ? [await draft(options, generation, now, now)] : []),
    await draft(options, generation + 1, now, new Date(nextAtMs)),
  ];
  return tablesOf(db)
    .insertInto('svc_auth.signing_keys')
    .values(drafts)
    .onConflict((conflict) => conflict.columns(['issuer', 'generation']).doNothing())
    .returningAll()
    .execute();
}

function announce({ name, issuer }: SigningKeysOptions, added: readonly SigningKeyRow[]): void {
  for (const { id, activates_at: activatesAt } of added)
    signingKeyPublished.publish(name, { keyId: id, issuer, activatesAt });
}

async function draft(
  { issuer, cipher, newId }: SigningKeysOptions,
  generation: number,
  createdAt: Date,
  activatesAt: Date,
): Promise<SigningKeyRow> {
  const { privateKey } = await generateKeyPair('EdDSA', { extractable: true });
  const id = newId();
  return {
    id,
    issuer,
    generation,
    private_key: cipher.seal(JSON.stringify(await exportJWK(privateKey)), contextOf(issuer, id)),
    created_at: createdAt,
    activates_at: activatesAt,
  };
}

const contextOf = (issuer: string, id: string) =>
  `svc_auth.signing_keys.private_key ${id} ${issuer}`;

function openKeys(
  options: SigningKeysOptions,
  rows: readonly SigningKeyRow[],
): Promise<SigningKey[]> {
  const { cipher, clock } = options;
  const open = async (row: SigningKeyRow, endsAt: Date | null): Promise<SigningKey> => {
    const jwk = JSON.parse(cipher.open(row.private_key, contextOf(row.issuer, row.id)));
    const publicJwk: PublicJwk = {
      kty: 'OKP',
      crv: 'Ed25519',
      x: jwk.x,
      kid: row.id,
      alg: 'EdDSA',
      use: 'sig',
    };
    return {
      id: row.id,
      publicJwk,
      publicKey: (await importJWK({ ...publicJwk }, 'EdDSA')) as CryptoKey,
      privateKey: (await importJWK(jwk, 'EdDSA')) as CryptoKey,
      activatesAt: row.activates_at,
      endsAt,
    };
  };
  const alive = rows
    .map((row, index) => ({ row, endsAt: endOf(rows, index) }))
    .filter(({ endsAt }) => isAlive(endsAt, clock.now()));
  return Promise.all(alive.map(({ row, endsAt }) => open(row, endsAt)));
}

async function removeEnded(db: Db, rows: readonly SigningKeyRow[], now: Date): Promise<void> {
  const ended = rows.filter((_, index) => !isAlive(endOf(rows, index), now));
  if (ended.length === 0) return;
  await tablesOf(db)
    .deleteFrom('svc_auth.signing_keys')
    .where(
      'id',
      'in',
      ended.map((row) => row.id),
    )
    .execute();
}

async function hasten(trx: Trx, options: SigningKeysOptions): Promise<SigningKeyRow[]> {
  const now = options.clock.now();
  const rows = await readRows(trx, options.issuer);
  const next = rows.at(-1);
  if (next === undefined || next.activates_at <= now) return addDue(trx, options, rows);
  if (next.created_at.getTime() + publishAheadMs > now.getTime()) return [];
  // Who waits for this row finds it active, and then the generation that follows taken.
  await tablesOf(trx)
    .updateTable('svc_auth.signing_keys')
    .set({ activates_at: now })
    .where('id', '=', next.id)
    .where('activates_at', '>', now)
    .execute();
  return addDue(trx, options, [{ ...next, activates_at: now }]);
}
