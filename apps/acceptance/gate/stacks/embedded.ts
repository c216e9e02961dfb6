import { cpSync, existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { runSvc } from '../command-line.ts';
import { appFolder, rootFolder } from '../places.ts';
import type { Backing, BackingOptions } from './stack.ts';

/** PGlite directories and stores in the process: no server at all. */
export async function startEmbedded({ children, folder }: BackingOptions): Promise<Backing> {
  let count = 0;
  const database = (name: string) => ({ DATABASE_URL: `pglite:${join(folder, name)}` });
  const makeEmpty = async (directory: string) => {
    await runSvc(children, ['db', 'status'], { DATABASE_URL: `pglite:${directory}` });
  };
  // While the app boots, on a directory that is new: the app's own is made by `svc db migrate`.
  const first = copyOfEmpty(join(folder, 'fresh-1'), makeEmpty);
  return {
    environment: database('database'),
    freshDatabase: async () => {
      await first;
      const name = `fresh-${++count}`;
      if (count > 1) await copyOfEmpty(join(folder, name), makeEmpty);
      return database(name);
    },
    stop: () => first,
  };
}

/** A new, empty PGlite directory. It takes some seconds to make, so one is kept beside what is installed. */
async function copyOfEmpty(
  directory: string,
  make: (directory: string) => Promise<void>,
): Promise<void> {
  const kept = join(rootFolder, `node_modules/.cache/svc-gate/pglite-${pgliteVersion()}`);
  if (existsSync(kept)) return cpSync(kept, directory, { recursive: true });
  const draft = `${directory}-draft`;
  await make(draft);
  cpSync(draft, directory, { recursive: true });
  cpSync(draft, `${kept}.new`, { recursive: true });
  // Whole or not at all: another run may look for it now.
  if (existsSync(kept)) rmSync(`${kept}.new`, { recursive: true });
  else renameSync(`${kept}.new`, kept);
}

function pgliteVersion(): string {
  const entry = createRequire(join(appFolder, 'package.json')).resolve('@electric-sql/pglite');
  const manifest = readFileSync(join(entry, '../../package.json'), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
