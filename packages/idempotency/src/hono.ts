export {
  idempotencyFailures,
  type IdempotencyEnv,
  idempotent,
  type IdempotentOptions,
} from './hono/idempotent.ts';
export { markSensitive } from './hono/take-answer.ts';
