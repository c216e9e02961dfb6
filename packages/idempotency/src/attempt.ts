import { transact as savepoint, type Trx } from '@svc/db';
import { type ExecutedAnswer, isKept, type StoredAnswer, type Withheld } from './answer.ts';
import type { Execute, IdempotencyContext, RunOptions } from './context.ts';
import { executed, leaseLost, notStored } from './events.ts';
import { StillRunning } from './failures.ts';
import { keepLease } from './lease.ts';
import type { Claim, Claimed } from './store.ts';

/** What an attempt came to: an answer of its own, or what somebody else made or makes of the key. */
export type Attempted =
  | { readonly state: 'executed'; readonly answer: ExecutedAnswer }
  | Exclude<Claimed, { state: 'granted' }>;

/** Claims the key and, where it is granted, executes and keeps the answer. */
export function attempt(
  context: IdempotencyContext,
  claim: Claim,
  execute: Execute,
  { within, transact }: RunOptions,
): Promise<Attempted> {
  if (within !== undefined) return attemptWithin(context, claim, execute, within);
  if (transact === undefined) return attemptAlone(context, claim, execute);
  return attemptAround(context, claim, execute, transact);
}

async function attemptAlone(
  context: IdempotencyContext,
  claim: Claim,
  execute: Execute,
): Promise<Attempted> {
  const { store, clock, logger } = context;
  const claimed = await store.claim(claim);
  if (claimed.state !== 'granted') return claimed;
  const startedAtMs = clock.elapsedMs();
  const lease = keepLease(claim, context);
  let answer: ExecutedAnswer;
  try {
    answer = await execute({ token: claim.token });
  } catch (error) {
    lease.end();
    await store.release(claim).catch((cause: unknown) => {
      logger.warn({ err: cause }, 'an idempotency key is free only when its lease ends');
    });
    throw error;
  }
  lease.end();
  const result = toKeep(context, answer);
  const isStored = await settle(context, claim, answer, result);
  const durationMs = clock.elapsedMs() - startedAtMs;
  if (isStored === 'late') {
    leaseLost.publish(context.name, { durationMs });
    logger.warn({ durationMs }, 'an execution ended after another had taken over its key');
    // Its answer is not the one that a repeat gets, so nobody gets it.
    throw new StillRunning({ retryAfterSeconds: 1 });
  }
  executed.publish(context.name, { status: answer.status, kept: isStored, durationMs });
  return { state: 'executed', answer };
}

const settleTries = 3;

async function settle(
  { name, store, clock, logger }: IdempotencyContext,
  claim: Claim,
  answer: ExecutedAnswer,
  result: StoredAnswer | Withheld | undefined,
): Promise<boolean | 'late'> {
  for (let tries = 1; ; tries += 1) {
    try {
      if (result !== undefined) return (await store.finish(claim, result)) || 'late';
      await store.release(claim);
      return false;
    } catch (error) {
      // It was executed: a refusal now would make the client try again what is done.
      if (tries === settleTries) {
        notStored.publish(name, { status: answer.status });
        logger.error({ err: error }, 'an answer was given and not stored: a repeat is executed');
        return false;
      }
      await clock.sleep(100);
    }
  }
}

async function attemptWithin(
  context: IdempotencyContext,
  claim: Claim,
  execute: Execute,
  within: Trx,
): Promise<Attempted> {
  const { name, store, clock } = context;
  const claimed = await store.claim(claim, within);
  if (claimed.state !== 'granted') return claimed;
  const startedAtMs = clock.elapsedMs();
  const answer = await execute({ token: claim.token, within });
  const result = toKeep(context, answer);
  // Thrown, it rolls back what was written for an answer that nobody will see.
  if (result !== undefined && !(await store.finish(claim, result, within)))
    throw new StillRunning({ retryAfterSeconds: 1 });
  const durationMs = clock.elapsedMs() - startedAtMs;
  executed.publish(name, { status: answer.status, kept: result !== undefined, durationMs });
  return { state: 'executed', answer };
}

/** Refused requests change nothing: the answer passes, what was written for it is rolled back. */
async function attemptAround(
  context: IdempotencyContext,
  claim: Claim,
  execute: Execute,
  transact: NonNullable<RunOptions['transact']>,
): Promise<Attempted> {
  const undo = new Error('The request was refused.');
  let refused: ExecutedAnswer | undefined;
  const orUndo = (answer: ExecutedAnswer) => {
    if (answer.status < 400) return answer;
    refused = answer;
    throw undo;
  };
  const undone = (error: unknown): ExecutedAnswer => {
    if (error !== undo || refused === undefined) throw error;
    return refused;
  };
  // A refusal that is kept must outlive what it undoes.
  const inner: Execute =
    context.keep === 'success'
      ? async (execution) => orUndo(await execute(execution))
      : async ({ token, within }) => {
          const answer = await savepoint(within as Trx, async (trx) =>
            orUndo(await execute({ token, within: trx })),
          ).catch(undone);
          return isKept(context.keep, answer.status) ? answer : orUndo(answer);
        };
  try {
    return await transact((trx) => attemptWithin(context, claim, inner, trx));
  } catch (error) {
    return { state: 'executed', answer: undone(error) };
  }
}

function toKeep(
  { keep, maxBodyBytes }: IdempotencyContext,
  { withhold, status, headers, body }: ExecutedAnswer,
): StoredAnswer | Withheld | undefined {
  if (!isKept(keep, status)) return undefined;
  if (withhold !== undefined) return withhold;
  return body.byteLength > maxBodyBytes ? 'too_large' : { status, headers, body };
}
