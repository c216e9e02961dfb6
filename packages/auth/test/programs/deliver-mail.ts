// Delivers a mail up to the moment of sending, says its link, and waits there to be killed.
import { systemClock } from '@svc/core';
import { connect } from '@svc/db';
import { createAuth, type MailRequest } from '../../src/index.ts';

const [url, request, at] = process.argv.slice(2) as [string, string, string];
const { db } = await connect(url);
const auth = createAuth({
  db,
  publicUrl: 'https://app.example.com',
  appName: 'Projects',
  clock: { ...systemClock, now: () => new Date(at) },
  async sendMail({ data }) {
    process.stdout.write(`${data.link}\n`);
    await systemClock.sleep(60_000);
  },
});
await auth.deliverMail(JSON.parse(request) as MailRequest);
