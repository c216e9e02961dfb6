import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv4, isIPv6 } from 'node:net';

/** A name server on loopback, whose names change their minds as scenarios say. */
export interface NameServer {
  /** As `address:port`. */
  readonly address: string;
  /** The addresses of a name, for each time that it is asked for; the last of them stay. */
  set(name: string, rounds: readonly (readonly string[])[]): void;
  /** How often a name was asked for its IPv6 addresses; those of IPv4 are asked for beside them, or remembered where there were none. */
  asked(name: string): number;
  stop(): void;
}

const [typeA, typeAAAA] = [1, 28];

export async function startNameServer(): Promise<NameServer> {
  const names = new Map<string, readonly (readonly string[])[]>();
  const counts = new Map<string, number>();
  const countOf = (name: string, type: number) => counts.get(`${name} ${type}`) ?? 0;
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const { name, type, end } = readQuestion(query);
    const round = countOf(name, type);
    counts.set(`${name} ${type}`, round + 1);
    const rounds = names.get(name) ?? [];
    const addresses = rounds[Math.min(round, rounds.length - 1)] ?? [];
    const records = addresses.filter((each) => (type === typeA ? isIPv4 : isIPv6)(each));
    const fitting = type === typeA || type === typeAAAA ? records : [];
    socket.send(toResponse(query.subarray(0, end), type, fitting), port, address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return {
    address: `127.0.0.1:${socket.address().port}`,
    set(name, rounds) {
      names.set(name, rounds);
      for (const type of [typeA, typeAAAA]) counts.delete(`${name} ${type}`);
    },
    asked: (name) => countOf(name, typeAAAA),
    stop: () => void socket.close(),
  };
}

/** The one question of a query (RFC 1035, 4.1), and where it ends. */
function readQuestion(query: Buffer): { name: string; type: number; end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** The header and question of the query again, and an answer that nobody keeps for each address. */
function toResponse(question: Buffer, type: number, addresses: readonly string[]): Buffer {
  const head = Buffer.from(question);
  // An authoritative response without an error, with so many answers.
  head.writeUInt16BE(0x8580, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt16BE(addresses.length, 6);
  head.writeUInt32BE(0, 8);
  const answers = addresses.map((address) => {
    const data = isIPv4(address) ? Buffer.from(address.split('.').map(Number)) : bytesOf(address);
    // The name is that of the question.
    const record = Buffer.from([0xc0, 0x0c, 0, type, 0, 1, 0, 0, 0, 0, 0, data.length]);
    return Buffer.concat([record, data]);
  });
  return Buffer.concat([head, ...answers]);
}

/** The bytes of an IPv6 address, written with `::` or without, of which the end may be written as IPv4. */
function bytesOf(address: string): Buffer {
  const groupsOf = (text: string) =>
    text === ''
      ? []
      : text.split(':').flatMap((group) => {
          if (!isIPv4(group)) return [Number.parseInt(group, 16)];
          const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number);
          return [a * 256 + b, c * 256 + d];
        });
  const [left = '', right] = address.split('::');
  const [head, tail] = [groupsOf(left), groupsOf(right ?? '')];
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => 0);
  const bytes = Buffer.alloc(16);
  [...head, ...zeros, ...tail].forEach((group, at) => bytes.writeUInt16BE(group, at * 2));
  return bytes;
}
