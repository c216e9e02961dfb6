import { createRateLimit, defineLimit } from '@svc/ratelimit';
import { redisStore } from '@svc/ratelimit/redis';
import { RateLimiterRedis, RateLimiterUnion } from 'rate-limiter-flexible';
import { type Prepared, WrongAnswer } from '../benchmark.ts';
import { keepInFlight } from '../load.ts';
import { startRedis } from './redis-server.ts';

/** So many that no limit is reached: what is compared is the way of one that passes. */
const quota = 100_000_000;
const keys = Array.from({ length: 1000 }, (_, index) => `203.0.113.${index}`);
const keyOf = (number: number) => keys[number % keys.length] as string;

/** `count` limits on Redis, decided together, by both. */
export async function redisVariants(count: number, inFlight: number): Promise<Prepared> {
  const server = await startRedis();
  const names = Array.from({ length: count }, (_, index) => `limit-${index}`);
  const limits = names.map((name) => defineLimit({ name, algorithm: 'gcra', quota, window: '1m' }));
  const ours = createRateLimit({ store: redisStore(await server.connect()), storeTimeout: '5s' });
  const storeClient = await server.connect();
  const theirs = names.map(
    (keyPrefix) => new RateLimiterRedis({ storeClient, keyPrefix, points: quota, duration: 60 }),
  );
  const [single] = theirs;
  const union = count === 1 ? undefined : new RateLimiterUnion(...theirs);

  return {
    variants: [
      {
        name: 'svc',
        run: (durationMs) =>
          keepInFlight({ inFlight, durationMs }, async (number) => {
            const key = keyOf(number);
            const decision = await ours.check(limits.map((limit) => ({ limit, key })));
            if (!decision.allowed || decision.degraded || decision.limits.length !== count)
              throw new WrongAnswer('a call under its limits was not counted and let through');
            if (decision.limits.some(({ remaining }) => !(remaining < quota)))
              throw new WrongAnswer('a call was not counted');
          }),
      },
      {
        name: 'rate-limiter-flexible',
        run: (durationMs) =>
          keepInFlight({ inFlight, durationMs }, async (number) => {
            const key = keyOf(number);
            if (union === undefined) {
              const answer = await single?.consume(key);
              if (!((answer?.remainingPoints ?? quota) < quota))
                throw new WrongAnswer('a call was not counted');
              return;
            }
            const answers = Object.values(await union.consume(key));
            if (answers.length !== count) throw new WrongAnswer('a limit was not asked');
            if (answers.some(({ remainingPoints }) => !(remainingPoints < quota)))
              throw new WrongAnswer('a call was not counted');
          }),
      },
    ],
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
