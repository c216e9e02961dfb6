import { createConcurrencyLimit, type ConcurrencyLimit } from '../concurrency-limit.ts';
import type { WriteOptions } from '../context.ts';

/** Whose turn it is to hash. */
export interface HashingLanes {
  /**
   * Computes a hash from what `prepare` gives, which begins once there is a place: who is refused has cost nothing.
   * What waits outside of a transaction is served in order.
   */
  run<Input, Result>(
    prepare: () => Promise<Input> | Input,
    compute: (input: Input) => Promise<Result>,
    options: Pick<WriteOptions, 'within'>,
  ): Promise<Result>;
}

/**
 * Two queues before the same few places. Who comes within a transaction holds a connection, which those whose turn it is
 * may need in order to prepare: in one queue with them, the ones would wait for the others for ever.
 */
export function createHashingLanes(limits: {
  maxRunning: number;
  /** In each lane. */
  maxWaiting: number;
  refusal: () => Error;
}): HashingLanes {
  const outside = createConcurrencyLimit(limits);
  const inTransactions = createConcurrencyLimit(limits);
  // As many as both lanes let through: nobody is refused after preparing.
  const places: ConcurrencyLimit = createConcurrencyLimit({
    ...limits,
    maxWaiting: 2 * limits.maxRunning,
  });
  return {
    run(prepare, compute, { within }) {
      const lane = within === undefined ? outside : inTransactions;
      return lane(async () => {
        const input = await prepare();
        return places(() => compute(input));
      });
    },
  };
}
