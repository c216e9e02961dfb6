import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage } from 'node:http';
import { json } from 'node:stream/consumers';

/** What a scenario may ask of the gate, by name; arguments and answers are JSON. */
export type Controls = Record<string, (argument: never) => Promise<unknown>>;

export interface ControlServer {
  readonly url: string;
  readonly token: string;
  stop(): void;
}

/** Serves the controls to the scenarios, which run in threads of their own, on loopback behind a one-run token. */
export function startControlServer(controls: Controls): Promise<ControlServer> {
  const token = randomBytes(32).toString('hex');
  const answer = async (request: IncomingMessage): Promise<{ status: number; body: unknown }> => {
    if (request.headers.authorization !== `Bearer ${token}`) return { status: 401, body: 'no' };
    const control = controls[(request.url ?? '/').slice(1)];
    if (control === undefined) return { status: 404, body: `there is no control ${request.url}` };
    try {
      return { status: 200, body: await control((await json(request)) as never) };
    } catch (error) {
      return { status: 500, body: error instanceof Error ? error.message : String(error) };
    }
  };
  const server = createServer((request, response) => {
    void answer(request).then(({ status, body }) => {
      // A scenario that computes for seconds would send its next request into a connection that is closed by then.
      response.writeHead(status, { 'content-type': 'application/json', connection: 'close' });
      response.end(JSON.stringify(body ?? null));
    });
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      resolve({
        url: `http://127.0.0.1:${port}`,
        token,
        stop() {
          server.close();
          server.closeAllConnections();
        },
      });
    });
  });
}
