import { startSmtpSink, type SmtpSink } from '@svc/mail/testing';
import type { StackName, RuntimeName } from './arguments.ts';
import { type AppProcess, createAppProcess } from './app-process.ts';
import { type Children, createChildren } from './children.ts';
import { type BreachListStub, startBreachList } from './breach-list.ts';
import { mustRunSvc } from './command-line.ts';
import { freePort } from './ports.ts';
import { startEmbedded } from './stacks/embedded.ts';
import type { Backing } from './stacks/stack.ts';

/** The app with everything around it, up and ready: what the gate and `pnpm stack:up` boot. */
export interface RunningEnvironment {
  readonly app: AppProcess;
  readonly backing: Backing;
  readonly mail: SmtpSink;
  readonly breaches: BreachListStub;
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
    const mail = await startSmtpSink();
    undo.push(() => mail.close());
    const breaches = await startBreachList();
    undo.push(async () => breaches.stop());
    const appPort = port ?? (await freePort());
    const settings = appSettings(backing, mail, breaches, appPort);
    onStep('migrating and seeding with svc');
    await mustRunSvc(children, ['db', 'migrate'], settings);
    const seeded = await mustRunSvc(children, ['db', 'seed', '--json'], settings);
    if (!seeded.includes('demo_project')) throw new Error(`svc db seed seeded nothing: ${seeded}`);
    onStep(`starting the app on ${runtime}`);
    const app = createAppProcess({
      children,
      runtime,
      folder,
      port: appPort,
      environment: settings,
    });
    undo.push(() => app.terminate('SIGTERM').catch(() => undefined));
    await app.start();
    return { app, backing, mail, breaches, children, settings, stop };
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

function appSettings(
  backing: Backing,
  mail: SmtpSink,
  breaches: BreachListStub,
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
    // Few and short, so that a scenario sees waits begin, double and end.
    AUTH_LOCKOUT_FREE: '6',
    AUTH_LOCKOUT_PAIR_FREE: '4',
    AUTH_LOCKOUT_ADDRESS_FREE: '20',
    AUTH_LOCKOUT_FIRST_WAIT: '1s',
    AUTH_LOCKOUT_MAX_WAIT: '4s',
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
