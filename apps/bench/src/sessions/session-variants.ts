import type { PostgresServer } from '@svc/db/testing';
import { Hono } from 'hono';
import { type Prepared, type Variant, WrongAnswer } from '../benchmark.ts';
import { keepInFlight } from '../load.ts';
import { bareSessions } from './bare-sessions.ts';
import { betterAuthSessions } from './better-auth-sessions.ts';
import type { SessionService } from './session-service.ts';
import { svcSessions } from './svc-sessions.ts';

/** All makes of sessions under the same requests. */
export async function sessionVariants(
  server: PostgresServer,
  { inFlight }: { inFlight: number },
): Promise<Prepared> {
  const svc = await svcSessions(server);
  const services: Record<string, SessionService> = {
    svc,
    'svc, cached': await svcSessions(await server.createDatabase('svc_cached'), {
      sessions: { cache: {} },
    }),
    'bare query': bareSessions(server, svc.askers),
    'better-auth': await betterAuthSessions(server, 'better_auth'),
    'better-auth, joins': await betterAuthSessions(server, 'better_auth_joins', {
      experimental: { joins: true },
    }),
    'no check': noCheck(),
  };
  return {
    variants: Object.entries(services).map(([name, service]) => toVariant(name, service, inFlight)),
    async [Symbol.asyncDispose]() {
      await Promise.all(Object.values(services).map((service) => service.close()));
    },
  };
}

/** What the harness and Hono cost by themselves. */
function noCheck(): SessionService {
  const app = new Hono().get('/', (c) => c.body(null, 204, { User: 'anybody' }));
  return { app, askers: [{ cookie: 'none', userId: 'anybody' }], close: async () => undefined };
}

function toVariant(name: string, { app, askers }: SessionService, inFlight: number): Variant {
  // Made before, so that what is measured is the check.
  const requests = askers.map(({ cookie, userId }) => ({
    request: new Request('https://app.example.com/', { headers: { cookie } }),
    userId,
  }));
  const ask = async (number: number) => {
    // A prime step: neighbours in time are not neighbours in the table.
    const asked = requests[(number * 7919) % requests.length];
    if (asked === undefined) throw new TypeError('there is nobody to ask');
    const { request, userId } = asked;
    const { status, headers } = await app.fetch(request);
    const answered = status === 204 ? headers.get('User') : null;
    if (answered !== userId || (status !== 204 && status !== 401))
      throw new WrongAnswer(`${name} answered ${status}, for somebody else or not as it should`);
  };
  return { name, run: (durationMs) => keepInFlight({ inFlight, durationMs }, ask) };
}
