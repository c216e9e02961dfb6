import type { ChildProcess } from 'node:child_process';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { existsSync } from 'node:fs';
import { type Children, endProcess } from '../children.ts';
import { freePort } from '@svc/core/testing';
import { waitFor } from '../wait.ts';
import { StackUnavailable, type Switchable } from './stack.ts';

/** A Redis server of the gate's own, on a port of its own, that keeps nothing on disk. */
export async function startRedis(
  children: Children,
  folder: string,
): Promise<Switchable & { url: string }> {
  const program = (process.env['PATH'] ?? '')
    .split(delimiter)
    .map((place) => join(place, 'redis-server'))
    .find(existsSync);
  if (program === undefined) {
    throw new StackUnavailable(
      'there is no redis-server on the PATH (Debian: apt-get install redis-server), and REDIS_URL is not set',
    );
  }
  const port = await freePort();
  let child: ChildProcess | undefined;

  const start = async () => {
    if (child?.exitCode === null && child.signalCode === null) return;
    child = children.start(program, [
      '--port',
      `${port}`,
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      folder,
    ]);
    await waitFor('Redis to listen', 10_000, () => accepts(port));
  };
  const stop = async () => {
    if (child !== undefined) await endProcess(child, 'SIGTERM', 5000);
  };
  await start();
  return { url: `redis://127.0.0.1:${port}`, start, stop };
}

function accepts(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => (socket.destroy(), resolve(true)));
    socket.once('error', () => resolve(undefined));
  });
}
