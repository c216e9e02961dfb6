import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { HealthCheck } from '@svc/http';

export interface CheckOptions {
  /** What the report calls it. @default the kind, such as 'redis' */
  name?: string;
  /** Whether the service is of no use without it. @default true for the database, false for everything else */
  critical?: boolean;
}

/** The part of `fetch` that checks use. */
export type FetchProbe = (
  url: string,
  init: { method: string; signal: AbortSignal },
) => Promise<Response>;

/** Whether PostgreSQL (or PGlite) answers; a `Connection` of `@svc/db` fits. */
export const databaseCheck = (
  connection: { ping(): Promise<unknown> },
  { name = 'database', critical = true }: CheckOptions = {},
): HealthCheck => ({ name, critical, check: async () => void (await connection.ping()) });

/** Whether Redis answers PING; a client of ioredis fits. */
export const redisCheck = (
  client: { ping(): Promise<unknown> },
  { name = 'redis', critical = false }: CheckOptions = {},
): HealthCheck => ({ name, critical, check: async () => void (await client.ping()) });

/** Whether a port accepts connections. */
export const tcpCheck = (
  { host, port }: { readonly host: string; readonly port: number },
  { name = 'tcp', critical = false }: CheckOptions = {},
): HealthCheck => ({
  name,
  critical,
  check: (signal) => talk(connectTcp({ host, port }), 'connect', signal, () => undefined),
});

/** Whether a mail server greets (RFC 5321 section 4.2: 220); `smtp://host:587` or `smtps://host`. Sends no mail and signs in nowhere. */
export function smtpCheck(
  server: string,
  { name = 'smtp', critical = false }: CheckOptions = {},
): HealthCheck {
  const { protocol, hostname: host, port } = new URL(server);
  if (protocol !== 'smtp:' && protocol !== 'smtps:')
    throw new TypeError('a mail server is smtp://… or smtps://…');
  const secure = protocol === 'smtps:';
  const at = { host, port: Number(port || (secure ? 465 : 587)) };
  return {
    name,
    critical,
    check: (signal) =>
      talk(
        secure ? connectTls({ ...at, servername: host }) : connectTcp(at),
        'data',
        signal,
        (greeting) => {
          if (!String(greeting).startsWith('220'))
            throw new Error('the mail server does not greet');
        },
      ),
  };
}

/** Whether a URL is answered with a status below 400. */
export const httpCheck = (
  url: string,
  { fetch, name = 'http', critical = false }: CheckOptions & { readonly fetch: FetchProbe },
): HealthCheck => ({
  name,
  critical,
  async check(signal) {
    const answer = await fetch(url, { method: 'GET', signal });
    await answer.body?.cancel();
    if (answer.status >= 400) throw new Error(`the answer was ${answer.status}`);
  },
});

/** Whether an object store answers for a bucket, by `HEAD` without credentials: that it refuses is an answer. */
export const s3Check = (
  bucketUrl: string,
  { fetch, name = 's3', critical = false }: CheckOptions & { readonly fetch: FetchProbe },
): HealthCheck => ({
  name,
  critical,
  async check(signal) {
    const { status } = await fetch(bucketUrl, { method: 'HEAD', signal });
    // 403 comes from a bucket that is there, 404 from a store that has none of this name.
    if (status >= 500 || status === 404) throw new Error(`the answer was ${status}`);
  },
});

/** Waits for an event of a socket, then closes it. */
function talk(
  socket: Socket,
  event: 'connect' | 'data',
  signal: AbortSignal,
  judge: (first: unknown) => void,
): Promise<void> {
  return new Promise<void>((resolve, reject) => {
    const abort = () => socket.destroy(signal.reason as Error);
    signal.addEventListener('abort', abort, { once: true });
    socket.once('error', reject);
    socket.once('close', () => {
      signal.removeEventListener('abort', abort);
      reject(new Error('the connection was closed'));
    });
    socket.once(event, (first: unknown) => {
      try {
        judge(first);
        resolve();
      } catch (error) {
        reject(error);
      }
      // A greeting is taken leave of, so that the server's log has nothing to complain of.
      if (event === 'data') socket.end('QUIT\r\n');
      socket.destroySoon();
    });
    if (signal.aborted) abort();
  });
}
