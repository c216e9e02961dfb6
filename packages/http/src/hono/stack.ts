import { type Clock, type Logger, type NewId, silentLogger, systemClock, uuidv7 } from '@svc/core';
import type { Hono } from 'hono';
import { createClientAddress } from '../client-address.ts';
import { bodyLimit } from './body-limit.ts';
import { cors, type CorsOptions } from './cors.ts';
import { handlerTimeout } from './handler-timeout.ts';
import { methodNotAllowed } from './method-not-allowed.ts';
import { problems } from './problems.ts';
import { remoteAddress } from './remote-address.ts';
import { type HttpEnv, requestContext } from './request-context.ts';
import { securityHeaders } from './security-headers.ts';
import { wellFormedUrl } from './well-formed-url.ts';
import type { AnyApp } from './any-app.ts';

export interface StackOptions {
  /** What a code is appended to, after a slash, to make a problem's `type`. @default '/errors' */
  typeBase?: string;
  /** CIDR ranges of the proxies whose X-Forwarded-For is believed. @default [] */
  trustedProxies?: readonly string[];
  /** @default no foreign origin */
  cors?: CorsOptions;
  /** The largest body in bytes, and how long it may take in milliseconds. @default 1 MiB, 15 s */
  bodyLimit?: { maxBytes?: number; readTimeoutMs?: number };
  /** How long an answer may take, in milliseconds. @default 30000 */
  handlerTimeoutMs?: number;
  /** Patterns of routes whose good answers leave no line in the log. @default [] */
  quietRoutes?: readonly string[];
  /** @default silentLogger */
  logger?: Logger;
  /** @default systemClock */
  clock?: Clock;
  /** @default uuidv7 */
  newId?: NewId;
}

/**
 * Installs what every service needs, in the one order that works: the context first, so that every
 * answer has its request id; then headers and CORS, so that errors carry them, too; then the refusals
 * that need no body; then the limits.
 *
 * @throws {TypeError} when a body may take as long as the answer: then a slow body would look like a slow handler.
 */
export function stack(app: AnyApp, options: StackOptions = {}): void {
  const {
    typeBase = '/errors',
    trustedProxies = [],
    handlerTimeoutMs = 30_000,
    quietRoutes = [],
    logger = silentLogger,
    clock = systemClock,
    newId = uuidv7,
  } = options;
  const { maxBytes = 1_048_576, readTimeoutMs = 15_000 } = options.bodyLimit ?? {};
  if (readTimeoutMs >= handlerTimeoutMs) {
    throw new TypeError('bodyLimit.readTimeoutMs must be less than handlerTimeoutMs');
  }
  const addressOf = createClientAddress({ trustedProxies });
  const router = app as Hono<HttpEnv>;
  router.use(
    requestContext({
      clientAddress: (c) => addressOf(remoteAddress(c), c.req.header('x-forwarded-for')),
      logger,
      newId,
      quietRoutes,
      clock,
    }),
  );
  router.use(securityHeaders());
  router.use(cors(options.cors));
  router.use(wellFormedUrl());
  router.use(methodNotAllowed(router));
  router.use(bodyLimit({ maxBytes, readTimeoutMs, idleTimeoutMs: readTimeoutMs, clock }));
  router.use(handlerTimeout({ ms: handlerTimeoutMs, clock }));
  problems(router, { typeBase, logger });
}
