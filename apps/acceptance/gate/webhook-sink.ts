import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** A webhook as it came in. */
export interface ReceivedWebhook {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** How the sink answers one request; `hold` answers only when it is let go. */
export interface SinkAnswer {
  readonly status: number;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly hold?: boolean;
}

/** Receives webhooks on loopback; each scenario has paths of its own. */
export interface WebhookSink {
  /** Its origin. */
  readonly url: string;
  /** The next answers to a path, one for each request; the last of them stays. 200 where nothing is said. */
  answer(path: string, answers: readonly SinkAnswer[]): void;
  /** Answers what is held. */
  release(path: string): void;
  received(path: string): readonly ReceivedWebhook[];
  /** What came to a path, once it is so many. @throws {Error} when it takes longer */
  awaitReceived(
    path: string,
    count: number,
    timeoutMs: number,
  ): Promise<readonly ReceivedWebhook[]>;
  stop(): void;
}

const well: SinkAnswer = { status: 200, body: 'ok' };

export async function startWebhookSink(): Promise<WebhookSink> {
  const received = new Map<string, ReceivedWebhook[]>();
  const answers = new Map<string, SinkAnswer[]>();
  const held = new Map<string, (() => void)[]>();
  const arrivals = new EventTarget();
  const of = (path: string) => received.get(path) ?? [];

  const nextAnswer = (path: string): SinkAnswer => {
    const planned = answers.get(path) ?? [];
    return (planned.length > 1 ? planned.shift() : planned[0]) ?? well;
  };
  const send = (response: ServerResponse, { status, headers = {}, body = '' }: SinkAnswer) =>
    response.writeHead(status, headers).end(body);

  const server = createServer((request, response) => {
    const { url: path = '', headers } = request;
    void text(request).then(
      (body) => {
        received.set(path, [...of(path), { headers, body }]);
        const answer = nextAnswer(path);
        if (answer.hold !== true) send(response, answer);
        else held.set(path, [...(held.get(path) ?? []), () => send(response, answer)]);
        arrivals.dispatchEvent(new Event(path));
        // Whoever sent it was killed in the middle.
      },
      () => undefined,
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    answer: (path, planned) => void answers.set(path, [...planned]),
    release(path) {
      for (const answer of held.get(path) ?? []) answer();
      held.delete(path);
    },
    received: of,
    awaitReceived: (path, count, timeoutMs) =>
      new Promise((resolve, reject) => {
        const settle = () => {
          clearTimeout(timer);
          arrivals.removeEventListener(path, look);
        };
        const look = () => {
          if (of(path).length < count) return;
          settle();
          resolve(of(path));
        };
        const timer = setTimeout(() => {
          settle();
          reject(
            new Error(`${path} got ${of(path).length} webhooks in ${timeoutMs} ms, not ${count}`),
          );
        }, timeoutMs);
        arrivals.addEventListener(path, look);
        look();
      }),
    stop() {
      server.close();
      server.closeAllConnections();
    },
  };
}
