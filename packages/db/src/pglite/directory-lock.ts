import { execFileSync } from 'node:child_process';
import { linkSync, mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { resolve } from 'node:path';
import { randomToken } from '@svc/core';
import { DatabaseLocked } from '../failures.ts';

export interface DirectoryLock {
  /** The directory, absolute, without symbolic links. */
  readonly directory: string;
  release(): void;
}

interface Holder {
  readonly pid: number;
  /** When the process started, in whatever words the system has: a pid alone may be another process by now. */
  readonly startedAt: string;
  readonly host: string;
  readonly token: string;
}

/**
 * Makes a directory ours until `release` or the end of the process. PGlite itself opens a directory twice without an
 * error, and both then see a corrupt one. A lock whose process is gone is taken over.
 *
 * @throws {DatabaseLocked}
 */
export function lockDirectory(path: string): DirectoryLock {
  // PGlite makes its files readable for everybody: the directory is what keeps others out.
  mkdirSync(resolve(path), { recursive: true, mode: 0o700 });
  const directory = realpathSync(resolve(path));
  const lockFile = `${directory}.lock`;
  const mine: Holder = {
    pid: process.pid,
    startedAt: startOf(process.pid) ?? '',
    host: hostname(),
    token: randomToken(16),
  };
  if (!place(lockFile, mine)) takeOver(lockFile, mine);
  return {
    directory,
    release() {
      if (readHolder(lockFile)?.token === mine.token) rmSync(lockFile, { force: true });
    },
  };
}

// Written elsewhere and linked: it appears with all its content or not at all, which O_EXCL and a write do not give.
function place(lockFile: string, holder: Holder): boolean {
  const draft = `${lockFile}.${holder.token}`;
  writeFileSync(draft, JSON.stringify(holder), { mode: 0o600 });
  try {
    linkSync(draft, lockFile);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    return false;
  } finally {
    rmSync(draft, { force: true });
  }
}

function takeOver(lockFile: string, mine: Holder): void {
  const guard = `${lockFile}.takeover`;
  refuseIfAlive(readHolder(lockFile), lockFile);
  // Of two that find the same dead holder, one could remove the lock that the other has just placed.
  if (!place(guard, mine)) {
    refuseIfAlive(readHolder(guard), lockFile);
    rmSync(guard, { force: true });
    if (!place(guard, mine))
      throw new DatabaseLocked(readHolder(guard)?.pid ?? 0, mine.host, lockFile);
  }
  try {
    refuseIfAlive(readHolder(lockFile), lockFile);
    rmSync(lockFile, { force: true });
    if (!place(lockFile, mine))
      throw new DatabaseLocked(readHolder(lockFile)?.pid ?? 0, mine.host, lockFile);
  } finally {
    rmSync(guard, { force: true });
  }
}

function refuseIfAlive(holder: Holder | undefined, lockFile: string): void {
  if (holder === undefined) return;
  // Another machine's processes (or another container's) cannot be seen from here, so they count as alive.
  if (holder.host !== hostname() || startOf(holder.pid) === holder.startedAt) {
    throw new DatabaseLocked(holder.pid, holder.host, lockFile);
  }
}

function readHolder(file: string): Holder | undefined {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as Holder;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** When a process started; undefined when there is none (a zombie holds nothing open, so it counts as none). */
function startOf(pid: number): string | undefined {
  try {
    if (process.platform !== 'linux') {
      return (
        execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim() ||
        undefined
      );
    }
    // Fields 3 (state) and 22 (start in clock ticks since boot); field 2 is a name that may hold spaces and brackets.
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return undefined; // No such process.
  }
}
