import { connect, type Socket } from 'node:net';

/** What came back over a socket. */
export interface RawAnswer {
  /** 0 when the connection ended without an answer. */
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * Writes exactly these bytes to a server on this machine and reads one answer, for what a proper client
 * would never send. `write` may go on writing while the answer comes; it is not waited for.
 */
export function sendRaw(
  port: number,
  write: string | ((socket: Socket) => Promise<void> | void),
): Promise<RawAnswer> {
  return new Promise((resolve) => {
    let received = Buffer.alloc(0);
    const socket = connect(port, '127.0.0.1', () => {
      if (typeof write === 'string') socket.write(write);
      else void (async () => write(socket))().catch(() => socket.destroy());
    });
    const finish = () => {
      socket.destroy();
      resolve(parseAnswer(received) ?? { status: 0, headers: {}, body: '' });
    };
    socket.on('data', (chunk) => {
      received = Buffer.concat([received, chunk]);
      const answer = parseAnswer(received);
      if (answer !== undefined && isComplete(answer)) finish();
    });
    socket.on('error', finish);
    socket.on('close', finish);
  });
}

function parseAnswer(received: Buffer): RawAnswer | undefined {
  const text = received.toString('latin1');
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const [first = '', ...lines] = text.slice(0, headEnd).split('\r\n');
  const headers = Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  return { status: Number(first.split(' ')[1]), headers, body: text.slice(headEnd + 4) };
}

function isComplete({ headers, body }: RawAnswer): boolean {
  if (headers['transfer-encoding'] === 'chunked') return body.endsWith('0\r\n\r\n');
  return body.length >= Number(headers['content-length'] ?? Number.POSITIVE_INFINITY);
}
