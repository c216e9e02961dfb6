import { exitCodeBadSettings, InvalidSettings, isFailure } from '@svc/core';
import { DatabaseLocked, UnsafeRole } from '@svc/db';
import { onSignals, type Stoppable } from '@svc/http';
import { createScopes } from '@svc/obs';
import { logUncaught } from '@svc/obs/pino';
import { createLogger } from './logger.ts';
import { createServices, type Services } from './services.ts';
import { type AppSettings, readSettings } from './settings.ts';

/** What a process answers over HTTP. */
interface Answering {
  fetch(request: Request, env: object): Response | Promise<Response>;
}

/** What runs beside the answering. */
type Background = 'worker' | 'schedulers';

/** Starts a process of the app, serves what `createApp` makes of its services, and ends it in order on a signal. */
export async function runProcess(
  name: string,
  backgroundOf: (settings: AppSettings) => readonly Background[],
  createApp: (services: Services) => Answering,
): Promise<void> {
  const settings = await orExit(() => readSettings());
  const scopes = createScopes();
  const logger = createLogger(settings, { scopes });
  logUncaught(logger);
  const start = () => createServices(settings, logger, scopes);
  const services = await orExit(start).catch((error: unknown) => {
    // What is expected to happen (no database, a role that owns too much) needs no stack trace.
    if (!isFailure(error) && !(error instanceof UnsafeRole) && !(error instanceof DatabaseLocked))
      throw error;
    logger.error({ reason: error.message }, 'the app cannot start');
    process.exit(1);
  });
  const { serve } =
    'Bun' in globalThis ? await import('@svc/http/bun') : await import('@svc/http/node');
  const { fetch } = createApp(services);
  const { bodyTimeoutMs, handlerTimeoutMs, host: hostname, port } = settings;
  // The net below the other limits must not be tighter than they are.
  const requestTimeoutMs = bodyTimeoutMs + handlerTimeoutMs + 10_000;
  const server = await serve({ fetch, hostname, port, requestTimeoutMs, logger }).catch(
    (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
      logger.error({ port }, 'the port is taken: set PORT to another');
      process.exit(1);
    },
  );
  services.obs.start();
  await services.audit.start();
  await services.auth.start();
  await services.serviceTokens.start();
  const background = await startBackground(services, backgroundOf(settings));
  services.health.markStarted();
  logger.info({ process: name, url: server.url, docs: `${server.url}/docs` }, 'listening');

  const { shutdownDelayMs, shutdownGraceMs } = settings;
  onSignals({
    opened: [
      ...services.opened,
      ...background,
      {
        name: 'server',
        stop: ({ graceMs }) => server.stop({ graceMs: Math.min(graceMs, shutdownGraceMs) }),
      },
    ],
    health: services.health,
    delayMs: shutdownDelayMs,
    deadlineMs: shutdownDelayMs + shutdownGraceMs + 10_000,
    logger,
  });
}

/** Begins with it; what of it is stopped is handed back. */
async function startBackground(
  { worker, schedulers, settings: { shutdownGraceMs } }: Services,
  parts: readonly Background[],
): Promise<Stoppable[]> {
  const started: Stoppable[] = [];
  if (parts.includes('worker')) {
    worker.start();
    started.push({
      name: 'jobs',
      stop: ({ graceMs }) => worker.stop({ graceMs: Math.min(graceMs, shutdownGraceMs) }),
    });
  }
  if (parts.includes('schedulers')) {
    for (const scheduler of schedulers) await scheduler.start();
    started.push({
      name: 'schedules',
      stop: () => Promise.all(schedulers.map((scheduler) => scheduler.stop())),
    });
  }
  return started;
}

/** Settings that are not usable end the process, in one message that lists every fault. */
async function orExit<T>(work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof InvalidSettings)) throw error;
    console.error(error.message);
    process.exit(exitCodeBadSettings);
  }
}
