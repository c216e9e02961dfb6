import { recordingLogger } from '@svc/core/testing';
import { Hono } from 'hono';
import {
  cors,
  type CorsOptions,
  type HttpEnv,
  methodNotAllowed,
  problems,
  requestContext,
  securityHeaders,
  wellFormedUrl,
} from '@svc/http/hono';

/** An app with the middleware in its order, and the log that it writes. */
export function testApp({ corsOptions = {} }: { corsOptions?: CorsOptions } = {}) {
  const logger = recordingLogger();
  const app = new Hono<HttpEnv>();
  app.use(requestContext({ logger, clientAddress: () => '192.0.2.1' }));
  app.use(securityHeaders());
  app.use(cors(corsOptions));
  app.use(wellFormedUrl());
  app.use(methodNotAllowed(app));
  problems(app);
  return { app, logger };
}

/** The problem in an answer, after checking that it is one. */
export async function problemIn(response: Response): Promise<Record<string, unknown>> {
  const text = await response.text();
  if (response.headers.get('Content-Type') !== 'application/problem+json') {
    throw new Error(`no problem but ${response.status} ${text}`);
  }
  return JSON.parse(text) as Record<string, unknown>;
}
