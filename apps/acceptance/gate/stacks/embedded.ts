import { join } from 'node:path';
import type { Backing, BackingOptions } from './stack.ts';

/** PGlite directories and stores in the process: no server at all. */
export async function startEmbedded({ folder }: BackingOptions): Promise<Backing> {
  let count = 0;
  const database = (name: string) => ({ DATABASE_URL: `pglite:${join(folder, name)}` });
  return {
    environment: database('database'),
    freshDatabase: async () => database(`fresh-${++count}`),
    stop: async () => undefined,
  };
}
