import { exitCodeBadSettings, InvalidSettings } from '@svc/core';
import { runUntilSignal } from '@svc/http';
import { createApp } from './app.ts';
import { createLogger } from './logger.ts';
import { createServices } from './services.ts';
import { readSettings } from './settings.ts';

const settings = settingsOrExit();
const logger = createLogger(settings);
const services = await createServices(settings, logger);
const { serve } = 'Bun' in globalThis ? await import('@svc/http/bun') : await import('@svc/http/node');
const server = await serve({
  fetch: createApp(services).fetch,
  hostname: settings.host,
  port: settings.port,
  logger,
});
services.health.markStarted();
logger.info({ url: server.url, docs: `${server.url}/docs` }, 'Projects is listening');

await runUntilSignal({
  logger,
  graceMs: settings.shutdownGraceMs,
  onSignal: () => services.health.drain(),
  steps: [
    { name: 'server', stop: () => server.stop({ graceMs: settings.shutdownGraceMs }) },
    { name: 'services', stop: () => services.stop() },
  ],
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
