// pnpm serve: the app on http://localhost:8000 for a person. Data stays in .data/, mail is printed.
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { buildPackages } from './build.ts';
import { appFolder, rootFolder } from './places.ts';

buildPackages();
mkdirSync(join(appFolder, '.data'), { recursive: true });
const environment = { LOG_FORMAT: 'pretty', ...process.env };
const svc = join(rootFolder, 'packages/cli/dist/bin.js');
for (const args of [[svc, 'db', 'migrate'], [svc, 'db', 'seed'], ['src/main.ts']]) {
  const child = spawn(process.execPath, args, {
    cwd: appFolder,
    env: environment,
    stdio: 'inherit',
  });
  // Ctrl-C reaches the child by itself; a signal to this process alone is passed on.
  const forward = (signal: NodeJS.Signals) => child.kill(signal);
  process.on('SIGTERM', forward).on('SIGINT', () => undefined);
  const [code] = (await once(child, 'exit')) as [number | null];
  process.off('SIGTERM', forward);
  if (code !== 0) process.exit(code ?? 1);
}
