import { exitCodeBadSettings, InvalidSettings } from '@svc/core';
import { onSignals } from '@svc/http';
import { createLogger } from './logger.ts';
import { createServices, type Services } from './services.ts';
import { readSettings } from './settings.ts';

/** What a process answers over HTTP. */
interface Answering {
  fetch(request: Request, env: object): Response | Promise<Response>;
}

/** Starts a process of the app, serves what `createApp` makes of its services, and ends it in order on a signal. */
export async function runProcess(
  name: string,
  createApp: (services: Services) => Answering,
): Promise<void> {
  const settings = settingsOrExit();
  const logger = createLogger(settings);
  const services = await createServices(settings, logger);
  const { serve } =
    'Bun' in globalThis ? await import('@svc/http/bun') : await import('@svc/http/node');
  const { fetch } = createApp(services);
  const server = await serve({ fetch, hostname: settings.host, port: settings.port, logger });
  services.health.markStarted();
  logger.info({ process: name, url: server.url, docs: `${server.url}/docs` }, 'listening');

  const { shutdownGraceMs } = settings;
  onSignals({
    opened: [
      { name: 'services', stop: () => services.stop() },
      {
        name: 'server',
        stop: ({ graceMs }) => server.stop({ graceMs: Math.min(graceMs, shutdownGraceMs) }),
      },
    ],
    health: services.health,
    deadlineMs: shutdownGraceMs + 10_000,
    logger,
  });
}

function settingsOrExit() {
  try {
    return readSettings();
  } catch (error) {
    if (!(error instanceof InvalidSettings)) throw error;
    console.error(error.message);
    process.exit(exitCodeBadSettings);
  }
}
