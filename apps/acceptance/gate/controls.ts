import type { BreachListMood } from './breach-list.ts';
import type { RunningEnvironment } from './environment.ts';
import { runApp, runSvc } from './command-line.ts';
import type { Controls } from './control-server.ts';

/** What scenarios may ask of a stack of the gate's own. */
export function controlsOf(environment: RunningEnvironment) {
  const { app, backing, mail, breaches, children, settings } = environment;
  const fresh = new Map<string, Record<string, string>>();
  const given = <T>(part: T | undefined, name: string): T => {
    if (part === undefined) throw new Error(`this stack has no ${name} of its own`);
    return part;
  };
  return {
    'mail/next': ({ to, timeoutMs }: { to: string; timeoutMs: number }) =>
      mail.next({ to, timeoutMs }),
    'mail/all': async ({ to }: { to: string }) =>
      mail.mails.filter(({ envelope }) => envelope.to.includes(to)),
    'app/terminate': ({ signal }: { signal: NodeJS.Signals }) => app.terminate(signal),
    /** Starts the app that was terminated, with other settings where some are given. */
    'app/start': ({ environment: changed }: { environment?: Record<string, string> }) =>
      app.start(changed),
    /** Lists passwords as breached; a count of 0 is what padding looks like. */
    'breaches/add': async ({ password, count }: { password: string; count: number }) =>
      breaches.add(password, count),
    'breaches/mood': async ({ mood }: { mood: BreachListMood }) => breaches.setMood(mood),
    'breaches/requests': async () => breaches.requests,
    'app/log': async () => app.log(),
    'postgres/stop': () => given(backing.postgres, 'PostgreSQL').stop(),
    'postgres/start': () => given(backing.postgres, 'PostgreSQL').start(),
    'redis/stop': () => given(backing.redis, 'Redis').stop(),
    'redis/start': () => given(backing.redis, 'Redis').start(),
    /** Which of the texts stand in a table or a Redis key, and where. */
    'storage/find': ({ texts }: { texts: string[] }) =>
      given(backing.findStored, 'PostgreSQL')(texts),
    /** Runs `svc` against an empty database of that name, made at first use. */
    svc: async ({
      args,
      database,
      environment = {},
    }: {
      args: string[];
      database: string;
      environment?: Record<string, string>;
    }) => {
      const place =
        fresh.get(database) ?? (await given(backing.freshDatabase, 'database server')());
      fresh.set(database, place);
      return runSvc(children, args, { ...settings, ...place, ...environment });
    },
    /** Starts the app with other settings and answers how it ended; for those it must refuse. */
    'app/refuse': async ({ environment }: { environment: Record<string, string> }) => {
      return runApp(children, environment);
    },
  } satisfies Controls;
}

export type StackControls = ReturnType<typeof controlsOf>;
