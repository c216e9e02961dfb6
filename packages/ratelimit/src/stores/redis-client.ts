import { createHash } from 'node:crypto';

/** The part of a Redis client that is used; ioredis and its cluster fit as they are. */
export interface RedisClient {
  readonly isCluster?: boolean;
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
}

/** Calls a script by its digest, and with its text where the server has not seen it (or has forgotten it). */
export function createScript(client: RedisClient, script: string) {
  const digest = createHash('sha1').update(script).digest('hex');
  return (keyCount: number, parameters: readonly (string | number)[]): Promise<unknown> =>
    client.evalsha(digest, keyCount, ...parameters).catch((error: unknown) => {
      if (!(error instanceof Error) || !error.message.startsWith('NOSCRIPT')) throw error;
      return client.eval(script, keyCount, ...parameters);
    });
}
