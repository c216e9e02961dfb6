import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { systemClock } from '../clock.ts';
import { freePort } from './free-port.ts';

const program = (process.env['PATH'] ?? '')
  .split(delimiter)
  .map((place) => join(place, 'redis-server'))
  .find(existsSync);

/** Why nothing can be shown on Redis here; `undefined` where it can. */
export const noRedisServer =
  program === undefined
    ? 'there is no redis-server on the PATH (Debian: apt-get install redis-server)'
    : undefined;

/** A Redis server of one's own that keeps nothing on disk. */
export interface RedisServer extends AsyncDisposable {
  readonly port: number;
  /** Sends a signal; does not wait for what it does. */
  kill(signal: NodeJS.Signals): void;
  /** Again, on the same port, after `kill`. */
  start(): Promise<void>;
}

/** Starts `redis-server` on a free port of 127.0.0.1. @throws {Error} when it is not installed or does not answer in 10 s. */
export async function startRedisServer(): Promise<RedisServer> {
  if (program === undefined) throw new Error(noRedisServer);
  const directory = mkdtempSync(join(tmpdir(), 'svc-redis-'));
  const port = await freePort();
  const flags = { port, bind: '127.0.0.1', save: '', appendonly: 'no', dir: directory };
  const words = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, `${value}`]);
  let child: ChildProcess | undefined;
  const start = async () => {
    child = spawn(program, words, { stdio: 'ignore' });
    for (let tries = 0; tries < 500; tries += 1) {
      if (await accepts(port)) return;
      await systemClock.sleep(20);
    }
    throw new Error('redis-server does not answer');
  };
  await start();
  return {
    port,
    kill: (signal) => void child?.kill(signal),
    start,
    async [Symbol.asyncDispose]() {
      if (child?.exitCode === null && child.signalCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(false));
  });
}
