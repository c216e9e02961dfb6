import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './run-tool.ts';

/** The sources that a result was won from: the commit, and a digest of every file that is not ignored. */
export interface SourceStamp {
  readonly commit: string;
  readonly digest: string;
}

/** Identifies the working tree as it is now, uncommitted changes included. */
export function sourceStamp(base = root): SourceStamp {
  const git = (...args: string[]) =>
    execFileSync('git', args, {
      cwd: base,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
      maxBuffer: 64 << 20,
    });
  try {
    const digest = createHash('sha256');
    const paths = git('ls-files', '-z', '--cached', '--others', '--exclude-standard')
      .split('\0')
      .filter(Boolean);
    for (const path of [...new Set(paths)].sort())
      digest
        .update(`${path}\0`)
        .update(contentOf(join(base, path)))
        .update('\0');
    return { commit: git('rev-parse', 'HEAD').trim(), digest: digest.digest('hex') };
  } catch {
    // Without git (an unpacked archive) no result can be trusted to be of these sources: a stamp that equals no other.
    return { commit: 'unknown', digest: `unknown-${process.pid}-${performance.timeOrigin}` };
  }
}

function contentOf(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch {
    // Deleted but not yet committed.
    return Buffer.alloc(0);
  }
}
