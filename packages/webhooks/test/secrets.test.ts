import { createHmac } from 'node:crypto';
import { databaseTest } from '@svc/db/testing';
import { sql } from 'kysely';
import { Webhook } from 'standardwebhooks';
import { expect } from 'vitest';
import { verifyWebhook } from '../src/index.ts';
import { webhooksMigrations } from '../src/migrations.ts';
import { codeOf, openSink, openWebhooks, projectCreated, type Received } from './open-webhooks.ts';
import { faultOf } from './fault-of.ts';

const test = databaseTest([webhooksMigrations]);
const headersOf = ({ headers }: Received) => headers as Record<string, string>;

test('during a rotation the old and the new secret verify, after it only the new', async ({
  db,
}) => {
  await using sink = await openSink();
  const { webhooks, endpoints, tenantId, work, clock } = openWebhooks(db);
  const { endpoint, secret: old } = await endpoints.create({ url: sink.url });
  const { secret: fresh } = await endpoints.rotateSecret(endpoint.id, { overlap: '2h' });
  const send = async (): Promise<Received> => {
    await webhooks.publish(projectCreated, { tenantId, data: { id: '1' } });
    await work();
    return sink.received.at(-1) as Received;
  };
  const isVerifiedBy = (got: Received, secret: string) =>
    faultOf(() =>
      verifyWebhook({ headers: headersOf(got), body: got.body }, [secret], { clock }),
    )[0];
  const during = await send();
  expect([isVerifiedBy(during, old), isVerifiedBy(during, fresh)]).toEqual([
    'no failure',
    'no failure',
  ]);
  await clock.advance('2h');
  const after = await send();
  expect([isVerifiedBy(after, old), isVerifiedBy(after, fresh)]).toEqual([
    'webhooks.invalid_signature',
    'no failure',
  ]);
  expect(await endpoints.secrets(endpoint.id)).toHaveLength(1);
});

test('an overlap of nothing ends every secret that was, and a rotation may change the scheme', async ({
  db,
}) => {
  await using sink = await openSink();
  const { webhooks, endpoints, tenantId, work, clock } = openWebhooks(db);
  const { endpoint } = await endpoints.create({ url: sink.url });
  await endpoints.rotateSecret(endpoint.id);
  const { secret } = await endpoints.rotateSecret(endpoint.id, { overlap: '0s', scheme: 'v1a' });
  expect(secret).toMatch(/^whpk_/);
  await webhooks.publish(projectCreated, { tenantId, data: { id: '1' } });
  await work();
  const [got] = sink.received as [Received];
  expect(got.headers['webhook-signature']).toMatch(/^v1a,\S+$/);
  const id = verifyWebhook({ headers: headersOf(got), body: got.body }, [secret], { clock }).id;
  expect(id).toBe(got.headers['webhook-id']);
});

test('fifty rotations and switches at once leave one newest secret, and every try is signed with it', async ({
  db,
}) => {
  await using sink = await openSink();
  const { webhooks, endpoints, tenantId, work, clock, jobs, workNext } = openWebhooks(db);
  const { endpoint } = await endpoints.create({ url: sink.url });
  const results = await Promise.allSettled(
    Array.from({ length: 50 }, (_, at) =>
      at % 2 === 0
        ? endpoints.rotateSecret(endpoint.id, { overlap: '1h' })
        : endpoints.update(endpoint.id, { isEnabled: at % 4 === 1 }),
    ),
  );
  const codes = results.flatMap((each) =>
    each.status === 'rejected' ? [(each.reason as { code?: string }).code] : [],
  );
  expect([...new Set(codes)]).toEqual(['webhooks.too_many_secrets']);
  const secrets = await endpoints.secrets(endpoint.id);
  expect(secrets).toHaveLength(10);
  expect(secrets.filter(({ expiresAt }) => expiresAt === null)).toHaveLength(1);
  await endpoints.update(endpoint.id, { isEnabled: true });
  const { secret } = await endpoints.rotateSecret(endpoint.id, { overlap: '0s' });
  await webhooks.publish(projectCreated, { tenantId, data: { id: '1' } });
  await work();
  while (jobs.length > 0) await workNext();
  const [got] = sink.received as [Received];
  expect(new Webhook(secret).sign(got.headers['webhook-id'] as string, clock.now(), got.body)).toBe(
    got.headers['webhook-signature'],
  );
});

test('fifty that create at once make as many endpoints as there may be', async ({ db }) => {
  const { endpoints } = openWebhooks(db, { maxEndpoints: 5 });
  const codes = await Promise.all(
    Array.from({ length: 50 }, () => codeOf(endpoints.create({ url: 'http://a.example/' }))),
  );
  expect(codes.filter((code) => code === 'no failure')).toHaveLength(5);
  expect(await endpoints.list()).toHaveLength(5);
});

test('no table, log line or audit entry has a secret in it', async ({ db }) => {
  const { endpoints, logger, audited } = openWebhooks(db);
  const headers = { Authorization: 'Basic aGVsbG8td29ybGQ=' };
  const { endpoint, secret } = await endpoints.create({ url: 'http://a.example/', headers });
  const { secret: next } = await endpoints.rotateSecret(endpoint.id);
  const { rows } = await sql<{ row: string }>`
    select e::text as row from svc_webhooks.endpoints e union all select s::text from svc_webhooks.secrets s`.execute(
    db,
  );
  const everything = JSON.stringify([
    rows,
    logger.lines,
    audited,
    await endpoints.get(endpoint.id),
  ]);
  for (const each of [secret.slice(6), next.slice(6), 'aGVsbG8td29ybGQ='])
    expect(everything).not.toContain(each);
});

test('by option the body alone is signed too, with the secret that every receiver has', async ({
  db,
}) => {
  await using sink = await openSink();
  const { webhooks, endpoints, tenantId, work } = openWebhooks(db, { bodySignature: true });
  const { endpoint, secret } = await endpoints.create({ url: sink.url });
  await endpoints.rotateSecret(endpoint.id);
  await webhooks.publish(projectCreated, { tenantId, data: { id: 'ä' } });
  await work();
  const [got] = sink.received as [Received];
  expect(got.headers['x-signature']).toBe(
    createHmac('sha256', secret).update(got.body).digest('hex'),
  );
});
