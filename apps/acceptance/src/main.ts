import { exitCodeBadSettings, InvalidSettings } from '@svc/core';
import { onSignals } from '@svc/http';
import { createApp } from './app.ts';
import { createLogger } from './logger.ts';
import { createServices } from './services.ts';
import { readSettings } from './settings.ts';

const settings = settingsOrExit();
const logger = createLogger(settings);
const services = await createServices(settings, logger);
const { serve } =
  'Bun' in globalThis ? await import('@svc/http/bun') : await import('@svc/http/node');
const server = await serve({
  fetch: createApp(services).fetch,
  hostname: settings.host,
  port: settings.port,
  logger,
});
services.health.markStarted();
logger.info({ url: server.url, docs: `${server.url}/docs` }, 'Projects is listening');

onSignals({
  opened: [
    { name: 'services', stop: services.stop },
    {
      name: 'server',
      stop: ({ graceMs }) => server.stop({ graceMs: Math.min(graceMs, settings.shutdownGraceMs) }),
    },
  ],
  health: services.health,
  deadlineMs: settings.shutdownGraceMs + 10_000,
  logger,
});

function settingsOrExit() {
  try {
    return readSettings();
  } catch (error) {
    if (!(error instanceof InvalidSettings)) throw error;
    console.error(error.message);
    process.exit(exitCodeBadSettings);
  }
}
