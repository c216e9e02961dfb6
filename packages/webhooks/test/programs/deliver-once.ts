// Delivers one event as a worker would, and stops once the receiver has answered, before that is written down, to be killed there.
import { systemClock } from '@svc/core';
import { connect } from '@svc/db';
import { createWebhooks } from '../../src/index.ts';
import { cipher, projectCreated } from '../open-webhooks.ts';

const [url, tenantId, deliveryId, lease] = process.argv.slice(2) as [string, string, string, '1s'];
const { db } = await connect(url);
const webhooks = createWebhooks({
  db,
  enqueue: async () => {},
  fetch: async (...request) => {
    const response = await fetch(...request);
    await response.arrayBuffer();
    process.stdout.write('answered\n');
    await systemClock.sleep(60_000);
    return response;
  },
  cipher,
  events: [projectCreated],
  timeout: '500ms',
  lease,
  clock: { ...systemClock, sleep: () => new Promise(() => {}) },
});
await webhooks.deliver({ tenantId, deliveryId, turn: 1 });
