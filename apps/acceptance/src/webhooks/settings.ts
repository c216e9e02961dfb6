import { type Duration, setting } from '@svc/core';
import * as v from 'valibot';

/** The variables of outgoing webhooks, for the settings schema. */
export const webhookSettings = {
  WEBHOOKS_ALLOW: v.optional(
    v.pipe(
      setting.list(
        'origins inside of your network that tenants may have webhooks sent to, such as https://hooks.corp.example:8443, parted by commas; all others must be https on the public internet',
      ),
      v.check((origins) => origins.every(isOrigin)),
    ),
    '',
  ),
  WEBHOOKS_PORTS: v.optional(
    v.pipe(
      setting.list('ports that webhooks are sent to, parted by commas'),
      v.check((ports) => ports.length > 0 && ports.every(isPort)),
      v.transform((ports) => ports.map(Number)),
    ),
    '443',
  ),
  WEBHOOKS_TIMEOUT: v.optional(
    setting.duration('how long one try to deliver a webhook may take'),
    '15s',
  ),
  WEBHOOKS_RETRY_WAITS: v.optional(
    v.pipe(
      setting.list(
        'the waits before each try after the first, each up to a fifth more or less, parted by commas',
      ),
      v.check((waits) => waits.every(isDuration)),
      v.transform((waits) => waits as readonly Duration[]),
    ),
    '5s,5m,30m,2h,5h,10h,14h,20h,24h',
  ),
};

function isOrigin(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.origin === text;
}

const isPort = (text: string) =>
  /^\d{1,5}$/.test(text) && Number(text) > 0 && Number(text) < 65_536;

const isDuration = (text: string) => /^\d+(?:\.\d+)?(?:ms|s|m|h|d)$/.test(text);
