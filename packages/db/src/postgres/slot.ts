import type { Clock } from '@svc/core';
import type postgres from 'postgres';
import { type EncodedParameter, parsedOids, parserFor, textFor } from '../codec.ts';
import { cleanError, endsSession } from '../driver-errors.ts';
import { DatabaseUnavailable } from '../failures.ts';
import { type Session, type SessionResult, writingCommands } from '../session.ts';
import { watchAnswers } from './answer-deadline.ts';

export interface SlotOptions {
  postgres: typeof postgres;
  url: string;
  connectTimeoutMs: number;
  statementTimeoutMs: number | undefined;
  role: string | undefined;
  clock: Clock;
  /** Called at every notification. */
  onNotify?: () => void;
  /** Called once, when the connection is gone for whatever reason. */
  onDeath: (slot: Slot) => void;
}

/** One connection that never reconnects, so that no statement of a transaction can run outside it. */
export interface Slot extends Session {
  readonly dead: boolean;
  /** Says goodbye to the server. */
  end(): Promise<void>;
}

// Statements beyond these are not kept prepared: a session's plans live in the server's memory until it ends.
const preparedMax = 500;
const lost = () =>
  new DatabaseUnavailable(undefined, { cause: new Error('the connection was lost') });

const unanswered = (afterMs: number | undefined) =>
  new DatabaseUnavailable(undefined, { cause: new Error(`no answer within ${afterMs} ms`) });

/** Opens a connection and sees it answer. @throws {DatabaseUnavailable} when it does not, in time. */
export async function openSlot({
  postgres,
  url,
  connectTimeoutMs,
  statementTimeoutMs,
  role,
  clock,
  onNotify,
  onDeath,
}: SlotOptions): Promise<Slot> {
  let dead = false;
  let failInFlight: ((error: Error) => void) | undefined;
  let tail: Promise<unknown> = Promise.resolve();
  const prepared = new Set<string>();

  const die = () => {
    if (dead) return;
    dead = true;
    answers.stop();
    failInFlight?.(lost());
    onDeath(slot);
  };
  // A connection that was cut without a word never answers, and never says that it is gone.
  const answers = watchAnswers(statementTimeoutMs, clock, () => {
    failInFlight?.(unanswered(statementTimeoutMs));
    slot.kill();
  });
  const client = postgres(url, clientOptions(connectTimeoutMs, die, onNotify));

  const prepares = (text: string) =>
    prepared.has(text) || (prepared.size < preparedMax && Boolean(prepared.add(text)));
  const send = <Rows>(query: () => PromiseLike<Rows>) =>
    new Promise<Rows>((resolve, reject) => {
      if (dead) return reject(lost());
      // Not Promise.race with one lasting "closed" promise: each race would stay in its memory.
      failInFlight = reject;
      answers.begin();
      query().then(
        (rows) => resolve(rows),
        (error: unknown) => {
          if (endsSession(error)) slot.kill();
          reject(cleanError(error));
        },
      );
    }).finally(() => {
      failInFlight = undefined;
      answers.end();
    });

  // One message at a time: what postgres.js still queues when a connection dies would wait for a new one.
  const inTurn = <Rows>(query: () => PromiseLike<Rows>): Promise<Rows> => {
    const result = tail.then(() => send(query));
    tail = result.catch(() => {});
    return result;
  };

  const slot: Slot = {
    get dead() {
      return dead;
    },
    async run(text, parameters) {
      return toResult(
        await inTurn(() => {
          const options = { prepare: prepares(text), simple: false } as object;
          return client.unsafe(text, parameters as string[], options);
        }),
      );
    },
    async runAll(text) {
      await inTurn(() => client.unsafe(text).simple());
    },
    kill() {
      die();
      client.end({ timeout: 0 }).catch(() => {}); // Nothing is left to say to this server.
    },
    async end() {
      die();
      await client.end({ timeout: 5 });
    },
  };

  const deadline = new AbortController();
  // postgres.js retries without end when a server accepts and closes at once, so the limit is ours as well.
  clock.sleep(connectTimeoutMs, deadline.signal).then(
    () => slot.kill(),
    () => {},
  );
  try {
    await slot.run(role === undefined ? 'select 1' : `set role "${role}"`, []);
    return slot;
  } catch (error) {
    slot.kill();
    throw error;
  } finally {
    deadline.abort();
  }
}

function clientOptions(
  connectTimeoutMs: number,
  onclose: () => void,
  onnotify: (() => void) | undefined,
): postgres.Options<{}> {
  return {
    max: 1,
    backoff: () => 1e6,
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: connectTimeoutMs / 1000,
    keep_alive: 15,
    fetch_types: false,
    prepare: true,
    onnotice: () => {},
    onclose,
    onnotify,
    // The text of dates and times depends on these.
    connection: { TimeZone: 'UTC', DateStyle: 'ISO, MDY' },
    types: Object.fromEntries(
      parsedOids.map((oid) => [
        `oid${oid}`,
        {
          to: oid,
          from: [oid],
          parse: parserFor(oid),
          serialize: (parameter: Exclude<EncodedParameter, null>) => textFor(oid, parameter),
        },
      ]),
    ),
  } as postgres.Options<{}>;
}

function toResult(rows: postgres.RowList<postgres.Row[]>): SessionResult {
  const command = rows.command ?? '';
  return {
    rows: [...rows],
    command,
    affectedRows: writingCommands.has(command) ? (rows.count ?? 0) : 0,
  };
}
