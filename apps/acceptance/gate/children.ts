import { type ChildProcess, spawn, type SpawnOptions } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Every process and folder of a run, so that none is left behind, however the run ends. */
export interface Children extends AsyncDisposable {
  start(program: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
  makeFolder(name: string): string;
  /** Has this process ended, too, should the gate be killed: for what another library started. */
  adopt(pid: number): void;
  /** What is still there after everything was told to go. */
  leftovers(): string[];
}

export function createChildren(): Children {
  const running = new Set<ChildProcess>();
  const pids = new Set<number>();
  const folders = new Set<string>();
  // Lives in a process group of its own and acts when the pipe to us closes: also after SIGKILL.
  const reaper = spawn(process.execPath, [join(import.meta.dirname, 'reaper.ts')], {
    detached: true,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  const tell = (message: object) => reaper.stdin?.write(`${JSON.stringify(message)}\n`);
  // A reaper that is gone cannot be told; the run itself still cleans up after itself.
  reaper.stdin?.on('error', () => undefined);

  const adopt = (pid: number) => {
    pids.add(pid);
    tell({ pid });
  };

  return {
    adopt,
    start(program, args, options = {}) {
      const child = spawn(program, args, { stdio: 'ignore', ...options });
      running.add(child);
      if (child.pid !== undefined) adopt(child.pid);
      child.once('exit', () => {
        running.delete(child);
        if (child.pid !== undefined) tell({ gone: child.pid });
      });
      return child;
    },
    makeFolder(name) {
      const folder = mkdtempSync(join(tmpdir(), `svc-${name}-`));
      folders.add(folder);
      tell({ folder });
      return folder;
    },
    leftovers() {
      return [
        ...[...pids].filter(isAlive).map((pid) => `process ${pid}`),
        ...[...folders].filter((folder) => existsSync(folder)),
      ];
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...running].map((child) => endProcess(child, 'SIGTERM', 8000)));
      for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
      reaper.stdin?.end();
    },
  };
}

/** Ends a process: by the signal, and by SIGKILL when it takes longer than `graceMs`. Answers its exit code. */
export function endProcess(
  child: ChildProcess,
  signal: NodeJS.Signals,
  graceMs: number,
): Promise<number | null> {
  return new Promise((resolve) => {
    if (child.exitCode !== null || child.signalCode !== null) return resolve(child.exitCode);
    const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
    child.once('exit', (code) => {
      clearTimeout(timer);
      resolve(code);
    });
    child.kill(signal);
  });
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // ESRCH: there is no such process, which is what we hope for.
    return false;
  }
}
