import { type Clock, type Logger, type NewId, silentLogger, systemClock, uuidv7 } from '@svc/core';
import type { Hono } from 'hono';
import { createClientAddress } from '../client-address.ts';
import { bodyLimit } from './body-limit.ts';
import { cors, type CorsOptions } from './cors.ts';
import { handlerTimeout } from './handler-timeout.ts';
import { problems } from './problems.ts';
import { type HttpEnv, requestContext } from './request-context.ts';
import { securityHeaders } from './security-headers.ts';

export interface StackOptions {
  /** Where the `type` of a problem leads (`https://api.example.com/errors`). */
  typeBase: string;
  /** CIDR ranges of the proxies in front. @default [] */
  trustedProxies?: readonly string[];
  /** @default no foreign origin */
  cors?: CorsOptions;
  /** The largest body in bytes, and how long it may take in milliseconds. @default 1 MiB, 15 s */
  bodyLimit?: { maxBytes?: number; readTimeoutMs?: number };
  /** How long an answer may take, in milliseconds. @default 30000 */
  handlerTimeoutMs?: number;
  /** @default silentLogger */
  logger?: Logger;
  /** @default systemClock */
  clock?: Clock;
  /** @default uuidv7 */
  newId?: NewId;
}

/**
 * Installs what every service needs, in the one order that works: the context first, so that every
 * answer has its request id; then headers and CORS, so that errors carry them, too; then the time
 * limit, and inside it the body's, whose refusal is the better answer when both are due.
 */
// oxlint-disable-next-line no-explicit-any -- an app may add variables of its own
export function stack(app: Hono<any>, options: StackOptions): void {
  const { typeBase, trustedProxies = [], handlerTimeoutMs = 30_000, logger = silentLogger, clock = systemClock, newId = uuidv7 } = options;
  const { maxBytes = 1_048_576, readTimeoutMs = 15_000 } = options.bodyLimit ?? {};
  const router = app as Hono<HttpEnv>;
  router.use(requestContext({ clientAddress: createClientAddress({ trustedProxies }), logger, newId, clock }));
  router.use(securityHeaders());
  router.use(cors(options.cors));
  router.use(handlerTimeout({ ms: handlerTimeoutMs, clock }));
  router.use(bodyLimit({ maxBytes, readTimeoutMs, clock }));
  problems(router, { typeBase });
}
