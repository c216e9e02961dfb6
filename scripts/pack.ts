import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { runTool } from './run-tool.ts';
import type { Member } from './workspace.ts';

/** Packs a built package as it would be published, into `folder`, and answers the tarball's path. */
export async function packMember({ directory, manifest }: Member, folder: string): Promise<string> {
  const { exitCode, output } = await runTool('pnpm', ['pack', '--pack-destination', folder], {
    cwd: directory,
  });
  const prefix = `${manifest.name.replace('@', '').replace('/', '-')}-`;
  const tarball = readdirSync(folder).find(
    (name) => name.startsWith(prefix) && /^\d/.test(name.slice(prefix.length)),
  );
  if (exitCode !== 0 || tarball === undefined)
    throw new Error(`pnpm pack of ${manifest.name} failed:\n${output}`);
  return join(folder, tarball);
}
