import { startSmtpSink, type SmtpSink } from '@svc/mail/testing';
import type { StackName, RuntimeName } from './arguments.ts';
import { type AppProcess, createAppProcess } from './app-process.ts';
import { type Children, createChildren } from './children.ts';
import { type BreachListStub, startBreachList } from './breach-list.ts';
import { mustRunSvc } from './command-line.ts';
import { freePort } from '@svc/core/testing';
import { type NameServer, startNameServer } from './name-server.ts';
import { startEmbedded } from './stacks/embedded.ts';
import type { Backing } from './stacks/stack.ts';
import { startTrap, type Trap } from './trap.ts';
import { startWebhookSink, type WebhookSink } from './webhook-sink.ts';

/** The app with everything around it, up and ready: what the gate and `pnpm stack:up` boot. */
export interface RunningEnvironment {
  readonly app: AppProcess;
  /** What runs the jobs and the schedules: on one stack the app itself, on the other processes of their own. */
  readonly background: Readonly<Record<'worker' | 'scheduler', AppProcess>>;
  /** Beside those, of the same kind, where they are processes of their own; not started. */
  readonly second: Readonly<Record<'worker' | 'scheduler', AppProcess>> | undefined;
  readonly backing: Backing;
  readonly mail: SmtpSink;
  /** Addresses whose mails the mail server does not take at the moment. */
  readonly refused: Set<string>;
  readonly breaches: BreachListStub;
  readonly hooks: WebhookSink;
  readonly names: NameServer;
  readonly trap: Trap;
  readonly children: Children;
  /** Environment for `svc` commands. */
  readonly settings: Record<string, string>;
  /** Ends everything, and answers what is still there. */
  stop(): Promise<string[]>;
}

export interface EnvironmentOptions {
  stack: StackName;
  runtime: RuntimeName;
  /** @default a free one */
  port?: number;
  onStep?: (step: string) => void;
}

/** The origin that CORS is configured for. */
export const corsOrigin = 'https://app.example.test';

export async function bootEnvironment({
  stack,
  runtime,
  port,
  onStep = () => undefined,
}: EnvironmentOptions): Promise<RunningEnvironment> {
  const children = createChildren();
  const undo: (() => Promise<unknown>)[] = [];
  const stop = async () => {
    for (const step of undo.reverse()) await step();
    undo.length = 0;
    await children[Symbol.asyncDispose]();
    return children.leftovers();
  };
  try {
    const folder = children.makeFolder(`gate-${stack}`);
    onStep(`starting ${stack === 'embedded' ? 'PGlite' : 'PostgreSQL and Redis'}`);
    const backing = await startBacking(stack, children, folder);
    undo.push(() => backing.stop());
    const refused = new Set<string>();
    const mail = await startSmtpSink({ refuse: (to) => (refused.has(to) ? 451 : undefined) });
    undo.push(() => mail.close());
    const breaches = await startBreachList();
    undo.push(async () => breaches.stop());
    const hooks = await startWebhookSink();
    undo.push(async () => hooks.stop());
    const names = await startNameServer();
    undo.push(async () => names.stop());
    const trap = await startTrap();
    undo.push(async () => trap.stop());
    const around = { backing, mail, breaches, hooks, names, trap };
    const appPort = port ?? (await freePort());
    const settings = appSettings(stack, around, appPort);
    onStep('migrating and seeding with svc');
    await mustRunSvc(children, ['db', 'migrate'], settings);
    const seeded = await mustRunSvc(children, ['db', 'seed', '--json'], settings);
    if (!seeded.includes('demo_project')) throw new Error(`svc db seed seeded nothing: ${seeded}`);
    onStep(`starting the app on ${runtime}`);
    const common = { children, runtime, folder, environment: settings };
    const open = (own: { port: number; program?: string }) => {
      const opened = createAppProcess({ ...common, ...own });
      undo.push(() => opened.terminate('SIGTERM').catch(() => undefined));
      return opened;
    };
    const app = open({ port: appPort });
    const openBackground = async () => ({
      worker: open({ port: await freePort(), program: 'src/worker.ts' }),
      scheduler: open({ port: await freePort(), program: 'src/scheduler.ts' }),
    });
    const isApart = stack === 'pg-redis';
    const background = isApart ? await openBackground() : { worker: app, scheduler: app };
    const second = isApart ? await openBackground() : undefined;
    for (const each of new Set([app, background.worker, background.scheduler])) await each.start();
    return { app, background, second, refused, ...around, children, settings, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function startBacking(
  stack: StackName,
  children: Children,
  folder: string,
): Promise<Backing> {
  if (stack === 'embedded') return startEmbedded({ children, folder });
  const { startPgRedis } = await import('./stacks/pg-redis.ts');
  return startPgRedis({ children, folder });
}

type Around = Pick<
  RunningEnvironment,
  'backing' | 'mail' | 'breaches' | 'hooks' | 'names' | 'trap'
>;

function appSettings(
  stack: StackName,
  { backing, mail, breaches, hooks, names, trap }: Around,
  port: number,
): Record<string, string> {
  return {
    ...backing.environment,
    APP_ENV: 'test',
    ACCEPTANCE: 'true',
    HOST: '127.0.0.1',
    PUBLIC_URL: `http://localhost:${port}`,
    SMTP_URL: mail.url,
    MAIL_FROM: 'Projects <no-reply@projects.test>',
    APP_SECRET: 'the gate runs on loopback and keeps nothing',
    AUTH_ENCRYPTION_KEYS: 'gate:the-gate-runs-on-loopback-and-keeps-nothing',
    // Scenarios say which client they are, as a proxy would.
    TRUSTED_PROXIES: '127.0.0.1,::1',
    AUTH_BREACH_LIST_URL: breaches.url,
    // More than any scenario sends from one address, but for the one that is about it.
    RATE_LIMIT_QUOTA: '200',
    RATE_LIMIT_WINDOW: '2s',
    // On a busy machine Redis may take longer than a service would wait, and this is about counting.
    RATE_LIMIT_STORE_TIMEOUT: '1s',
    // As small as leaves room for what other scenarios send.
    RATE_LIMIT_SIGN_IN_QUOTA: '150',
    RATE_LIMIT_SIGN_IN_WINDOW: '10s',
    RATE_LIMIT_MAIL_ADDRESS_QUOTA: '45',
    RATE_LIMIT_MAIL_RECIPIENT_QUOTA: '30',
    RATE_LIMIT_CREATE_QUOTA: '200',
    RATE_LIMIT_CREATE_WINDOW: '1m',
    RATE_LIMIT_FREE_PLAN_QUOTA: '300',
    RATE_LIMIT_PRO_PLAN_QUOTA: '400',
    ABUSE_SLOW_AT: '500',
    ABUSE_BLOCK_AT: '700',
    ABUSE_SLOW_BY: '300ms',
    // Few and short, so that a scenario sees waits begin, double and end.
    AUTH_LOCKOUT_FREE: '6',
    AUTH_LOCKOUT_PAIR_FREE: '4',
    AUTH_LOCKOUT_ADDRESS_FREE: '20',
    AUTH_LOCKOUT_FIRST_WAIT: '1s',
    AUTH_LOCKOUT_MAX_WAIT: '4s',
    // Long enough to bring a tenant back in, short enough to wait for.
    TENANCY_DELETION_GRACE: '8s',
    // As few as one scenario fills, and more than the others make in one tenant.
    FREE_PLAN_PROJECTS: '5',
    PRO_PLAN_PROJECTS: '8',
    // The sink and no other place of this machine; the trap is on a port that may be called.
    WEBHOOKS_ALLOW: hooks.url,
    WEBHOOKS_PORTS: `443,${trap.port}`,
    ACCEPTANCE_DNS_SERVER: names.address,
    WEBHOOKS_TIMEOUT: '2s',
    WEBHOOKS_RETRY_WAITS: '200ms,200ms,200ms,200ms',
    // Where there are processes for it.
    BACKGROUND_IN_WEB: String(stack === 'embedded'),
    // Short, so that what a killed worker had is soon taken; long enough for a busy machine.
    JOBS_LEASE: '2s',
    METRICS_TOKEN: 'the-gate-reads-metrics-on-loopback-alone',
    CORS_ORIGINS: corsOrigin,
    LOG_LEVEL: 'info',
    // Short, so that scenarios about limits do not wait for long.
    BODY_TIMEOUT_MS: '700',
    HANDLER_TIMEOUT_MS: '1500',
    BODY_LIMIT_BYTES: '1048576',
    SHUTDOWN_DELAY_MS: '500',
    SHUTDOWN_GRACE_MS: '5000',
  };
}
