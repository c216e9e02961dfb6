import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run-tool.ts';

/** The sources that a result was won from: the commit, and a digest of every file that is not ignored. */
export interface SourceStamp {
  readonly commit: string;
  readonly digest: string;
}

/** When a source file was last changed, in milliseconds since the epoch. */
export function newestSourceMs(base = root): number {
  return Math.max(
    0,
    ...sourcePaths(base).map(
      (path) => statSync(join(base, path), { throwIfNoEntry: false })?.mtimeMs ?? 0,
    ),
  );
}

/** Identifies the working tree as it is now, uncommitted changes included. */
export function sourceStamp(base = root): SourceStamp {
  try {
    const digest = createHash('sha256');
    for (const path of sourcePaths(base))
      digest
        .update(`${path}\0`)
        .update(contentOf(join(base, path)))
        .update('\0');
    return { commit: git(base, 'rev-parse', 'HEAD').trim(), digest: digest.digest('hex') };
  } catch {
    // Without git (an unpacked archive) no result can be trusted to be of these sources: a stamp that equals no other.
    return { commit: 'unknown', digest: `unknown-${process.pid}-${performance.timeOrigin}` };
  }
}

function sourcePaths(base: string): string[] {
  const paths = git(base, 'ls-files', '-z', '--cached', '--others', '--exclude-standard').split(
    '\0',
  );
  return [...new Set(paths.filter(Boolean))].sort();
}

function git(cwd: string, ...args: string[]): string {
  return execFileSync('git', args, {
    cwd,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
    maxBuffer: 64 << 20,
  });
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    // Deleted but not yet committed.
    return Buffer.alloc(0);
  }
}
