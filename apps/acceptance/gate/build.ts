import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { rootFolder } from './places.ts';

/** Builds the packages, quietly unless it fails. What is built already costs a fraction of a second. */
export function buildPackages(): void {
  const { status, stdout, stderr } = spawnSync(
    join(rootFolder, 'node_modules/.bin/turbo'),
    ['run', 'build', '--output-logs=errors-only'],
    {
      cwd: rootFolder,
      encoding: 'utf8',
      env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' },
    },
  );
  if (status !== 0) throw new Error(`the packages do not build:\n${stdout}${stderr}`);
}
