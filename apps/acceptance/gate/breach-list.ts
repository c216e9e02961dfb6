import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** How the list answers: as it should, not at all, or with a server error. */
export type BreachListMood = 'well' | 'silent' | 'failing';

/** A stand-in for the Pwned Passwords range API, on loopback. */
export interface BreachListStub {
  /** The folder of the ranges. */
  readonly url: string;
  /** Every request so far. */
  readonly requests: readonly { readonly path: string; readonly headers: IncomingHttpHeaders }[];
  /** Lists a password as seen `count` times; 0 is what padding looks like. */
  add(password: string, count: number): void;
  setMood(mood: BreachListMood): void;
  stop(): void;
}

const sha1 = (text: string) => createHash('sha1').update(text).digest('hex').toUpperCase();

export async function startBreachList(): Promise<BreachListStub> {
  const listed = new Map<string, number>();
  const requests: { path: string; headers: IncomingHttpHeaders }[] = [];
  let mood: BreachListMood = 'well';
  const rowsOf = (prefix: string) => {
    const own = [...listed].filter(([hash]) => hash.startsWith(prefix));
    const rows = own.map(([hash, count]) => `${hash.slice(5)}:${count}`);
    // Padding, as the service adds it when asked to.
    for (let row = 0; row < 20; row += 1) rows.push(`${sha1(`${prefix}${row}`).slice(5)}:0`);
    return rows.join('\r\n');
  };
  const server = createServer(({ url = '', headers }, response) => {
    requests.push({ path: url, headers });
    if (mood === 'silent') return;
    const [, prefix] = /^\/range\/([0-9A-Fa-f]{5})$/.exec(url) ?? [];
    if (mood === 'failing' || prefix === undefined)
      return void response.writeHead(mood === 'failing' ? 503 : 400).end();
    response.writeHead(200, { 'content-type': 'text/plain' }).end(rowsOf(prefix.toUpperCase()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/range/`,
    requests,
    add: (password, count) => void listed.set(sha1(password.normalize('NFC')), count),
    setMood(next) {
      mood = next;
    },
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
