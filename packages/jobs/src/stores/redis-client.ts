import { createHash } from 'node:crypto';

/** The part of a Redis client that is used; ioredis and its cluster fit as they are. */
export interface RedisClient {
  evalsha(
    sha1: string,
    keyCount: number,
    ...keysAndArguments: (string | number)[]
  ): Promise<unknown>;
  eval(
    script: string,
    keyCount: number,
    ...keysAndArguments: (string | number)[]
  ): Promise<unknown>;
  publish(channel: string, message: string): Promise<unknown>;
  /** A connection of its own to the same server, on which notifications come. */
  duplicate(): RedisSubscriber;
}

export interface RedisSubscriber {
  readonly status: string;
  connect(): Promise<unknown>;
  subscribe(channel: string): Promise<unknown>;
  disconnect(): void;
  on(event: 'error' | 'close' | 'ready' | 'message', listener: () => void): unknown;
}

/** Calls a script by its digest, and with its text where the server has not seen it (or has forgotten it). */
export function createScript(client: RedisClient, base: string, script: string) {
  const digest = createHash('sha1').update(script).digest('hex');
  // The one key says where all of them are: they share its hash tag.
  return (...parameters: readonly (string | number)[]): Promise<unknown> =>
    client.evalsha(digest, 1, base, ...parameters).catch((error: unknown) => {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return client.eval(script, 1, base, ...parameters);
    });
}
