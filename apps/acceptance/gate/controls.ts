import { createAdministrator } from './administrator.ts';
import type { BreachListMood } from './breach-list.ts';
import type { RunningEnvironment } from './environment.ts';
import { runApp, runSvc } from './command-line.ts';
import type { Controls } from './control-server.ts';
import type { SinkAnswer } from './webhook-sink.ts';

interface Which {
  which: 'worker' | 'scheduler' | 'second worker' | 'second scheduler';
}

interface Changed {
  environment?: Record<string, string>;
}

interface ReadMetrics {
  of?: 'app' | Which['which'];
  accept?: string;
}

/** What scenarios may ask of a stack of the gate's own. */
export function controlsOf(environment: RunningEnvironment) {
  const { app, background, second, refused, backing, mail, breaches, children, settings } =
    environment;
  const { hooks, names, trap } = environment;
  const fresh = new Map<string, Record<string, string>>();
  const administrator = createAdministrator(app.url, mail);
  const given = <T>(part: T | undefined, name: string): T => {
    if (part === undefined) throw new Error(`this stack has no ${name} of its own`);
    return part;
  };
  const processOf = (which: Which['which']) =>
    which === 'worker' || which === 'scheduler'
      ? background[which]
      : given(second, 'second process')[which === 'second worker' ? 'worker' : 'scheduler'];
  return {
    'mail/next': ({ to, timeoutMs }: { to: string; timeoutMs: number }) =>
      mail.next({ to, timeoutMs }),
    'mail/all': async ({ to }: { to: string }) =>
      mail.mails.filter(({ envelope }) => envelope.to.includes(to)),
    /** A session of an administrator, with a second factor. */
    administrator: () => administrator(),
    'app/terminate': ({ signal }: { signal: NodeJS.Signals }) => app.terminate(signal),
    /** Starts the app that was terminated, with other settings where some are given. */
    'app/start': ({ environment: changed }: Changed) => app.start(changed),
    /** Lists passwords as breached; a count of 0 is what padding looks like. */
    'breaches/add': async ({ password, count }: { password: string; count: number }) =>
      breaches.add(password, count),
    /** Has the mail server take the mails of an address, or put them off. */
    'mail/refuse': async ({ to, refuse }: { to: string; refuse: boolean }) =>
      void (refuse ? refused.add(to) : refused.delete(to)),
    'breaches/mood': async ({ mood }: { mood: BreachListMood }) => breaches.setMood(mood),
    /** Whether jobs and schedules have processes of their own, of which there may be two. */
    'background/apart': async () => second !== undefined,
    'background/start': ({ which, environment: changed }: Which & Changed) =>
      processOf(which).start(changed),
    'background/terminate': ({ which, signal }: Which & { signal: NodeJS.Signals }) =>
      processOf(which).terminate(signal),
    /** Halts it with SIGSTOP, or has it go on. */
    'background/signal': async ({ which, signal }: Which & { signal: 'SIGSTOP' | 'SIGCONT' }) =>
      processOf(which).signal(signal),
    'breaches/requests': async () => breaches.requests,
    /** Where webhooks can be sent to, and the port that nobody may call. */
    'hooks/places': async () => ({ url: hooks.url, trapPort: trap.port }),
    'hooks/answer': async ({ path, answers }: { path: string; answers: SinkAnswer[] }) =>
      hooks.answer(path, answers),
    'hooks/release': async ({ path }: { path: string }) => hooks.release(path),
    'hooks/received': ({ path, count }: { path: string; count: number }) =>
      hooks.awaitReceived(path, count, 15_000),
    'trap/connections': async () => trap.connections(),
    'names/set': async ({ name, rounds }: { name: string; rounds: string[][] }) =>
      names.set(name, rounds),
    'names/asked': async ({ name }: { name: string }) => names.asked(name),
    'app/log': async () => app.log(),
    /** What Prometheus would read of a process of the app. */
    'metrics/read': async ({ of = 'app', accept = 'text/plain' }: ReadMetrics) => {
      const { url } = of === 'app' ? app : processOf(of);
      const authorization = `Bearer ${settings['METRICS_TOKEN']}`;
      const answer = await fetch(`${url}/metrics`, { headers: { authorization, accept } });
      const contentType = answer.headers.get('content-type');
      return { status: answer.status, contentType, text: await answer.text() };
    },
    'postgres/stop': () => given(backing.postgres, 'PostgreSQL').stop(),
    'postgres/start': () => given(backing.postgres, 'PostgreSQL').start(),
    'redis/stop': () => given(backing.redis, 'Redis').stop(),
    'redis/start': () => given(backing.redis, 'Redis').start(),
    /** Which of the texts stand in a table or a Redis key, and where. */
    'storage/find': ({ texts }: { texts: string[] }) =>
      given(backing.findStored, 'PostgreSQL')(texts),
    /** Switches row-level security of the app's own tables; whether this stack can. */
    'row-security/switch': async ({ on }: { on: boolean }) => {
      await backing.switchRowSecurity?.(on);
      return backing.switchRowSecurity !== undefined;
    },
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
    /** Runs `svc` against the database of the app, which must not have it locked. */
    'svc/app': ({ args }: { args: string[] }) => runSvc(children, args, settings),
    /** Starts the app with other settings and answers how it ended; for those it must refuse. */
    'app/refuse': async ({ environment }: { environment: Record<string, string> }) => {
      return runApp(children, environment);
    },
  } satisfies Controls;
}

export type StackControls = ReturnType<typeof controlsOf>;
