import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A port of this machine that nobody may call: it counts who does. */
export interface Trap {
  readonly port: number;
  /** How many connections came. */
  connections(): number;
  stop(): void;
}

/** On both loopback addresses, where the machine has both. */
export async function startTrap(): Promise<Trap> {
  let count = 0;
  const spring = (socket: Socket) => {
    count += 1;
    socket.on('error', () => undefined).destroy();
  };
  const four = await listen(createServer(spring), 0, '127.0.0.1');
  const { port } = four.address() as AddressInfo;
  const six = await listen(createServer(spring), port, '::1').catch(() => undefined);
  return {
    port,
    connections: () => count,
    stop() {
      four.close();
      six?.close();
    },
  };
}

async function listen(server: Server, port: number, host: string): Promise<Server> {
  server.listen(port, host);
  await once(server, 'listening');
  return server;
}
