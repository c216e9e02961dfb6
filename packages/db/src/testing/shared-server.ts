import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { sha256 } from '@svc/core';
import type { RolePasswords } from './databases.ts';
import { startPostgres, until } from './postgres-server.ts';

/** What every file of the test run needs to know of its server. */
export interface SharedServer {
  readonly superuserUrl: string;
  readonly passwords: RolePasswords;
}

// The process that lives as long as the test run: vitest forks workers, or has them as threads.
const runPid = isMainThread ? process.ppid : process.pid;
const startTimeoutMs = 60_000;

/**
 * The PostgreSQL of this test run. The file that comes first starts it, the others wait; it ends with the process that
 * runs vitest, however that ends.
 */
export async function sharedServer(serverUrl: string | undefined): Promise<SharedServer> {
  if (serverUrl !== undefined)
    return { superuserUrl: serverUrl, passwords: derivedPasswords(serverUrl) };
  const base = join(tmpdir(), `svc-test-postgres-${runPid}`);
  const answer = join(base, 'server.json');
  if (claim(base)) {
    try {
      await startPostgres({
        dataDirectory: join(base, 'cluster'),
        watchedPid: runPid,
        removedDirectory: base,
      }).then(({ url, ownerUrl, superuserUrl }) =>
        publish(answer, {
          superuserUrl,
          passwords: {
            appPassword: new URL(url).password,
            ownerPassword: new URL(ownerUrl).password,
          },
        }),
      );
    } catch (error) {
      publish(answer, { error: String(error) });
    }
  }
  if (!(await until(() => existsSync(answer), startTimeoutMs)))
    throw new Error(`No PostgreSQL came up; see ${base}`);
  const shared = JSON.parse(readFileSync(answer, 'utf8')) as SharedServer & { error?: string };
  if (shared.error !== undefined) throw new Error(shared.error);
  return shared;
}

function claim(base: string): boolean {
  try {
    mkdirSync(base, { mode: 0o755 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  }
}

function publish(file: string, content: object): void {
  writeFileSync(`${file}.new`, JSON.stringify(content), { mode: 0o600 });
  renameSync(`${file}.new`, file);
}

// On a server that is not ours the roles outlive the run, and every run must know their passwords.
function derivedPasswords(serverUrl: string): RolePasswords {
  const derive = (role: string) =>
    Buffer.from(sha256(`${role}\0${serverUrl}`)).toString('base64url');
  return { ownerPassword: derive('owner'), appPassword: derive('app') };
}
