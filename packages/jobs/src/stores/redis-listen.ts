import type { RedisClient } from './redis-client.ts';

/** Calls `onWake` for every message of the channel until disposed, or `onLost` is called. */
export async function listenInRedis(
  client: RedisClient,
  channel: string,
  onWake: () => void,
  onLost: () => void,
): Promise<AsyncDisposable> {
  const subscriber = client.duplicate();
  let isOver = false;
  const end = () => {
    isOver = true;
    subscriber.disconnect();
  };
  try {
    await new Promise<void>((resolve, reject) => {
      subscriber.on('ready', resolve);
      // A connection that never came is closed, too. The reason of an error is that of the client that it was made from.
      subscriber.on('close', () => {
        reject(new TypeError('the connection for notifications was closed'));
        if (!isOver) onLost();
        end();
      });
      subscriber.on('error', () => {});
      if (subscriber.status === 'ready') resolve();
      // Made to connect when it is used.
      if (subscriber.status === 'wait') subscriber.connect().catch(reject);
    });
    subscriber.on('message', onWake);
    await subscriber.subscribe(channel);
  } catch (error) {
    end();
    throw error;
  }
  return {
    async [Symbol.asyncDispose]() {
      end();
    },
  };
}
