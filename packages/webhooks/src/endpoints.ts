import { type Duration, isUuid, toMs, ValidationFailed } from '@svc/core';
import { transact, type Trx } from '@svc/db';
import { sql } from 'kysely';
import { type ActingFor, record, type WebhookAct } from './acts.ts';
import type { WebhooksContext, WriteOptions } from './context.ts';
import {
  assertEndpoint,
  type Endpoint,
  type EndpointChanges,
  type EndpointInput,
  type EndpointSecret,
  toEndpoint,
  toEndpointSecret,
} from './endpoint.ts';
import { testType, toBody } from './event-type.ts';
import { EndpointDisabled, EndpointNotFound, TooManyEndpoints } from './failures.ts';
import { healthy } from './health.ts';
import { holdPending, resumeHeld } from './held.ts';
import { headersContext } from './outgoing.ts';
import { insertDeliveries, insertEvent } from './publish.ts';
import { endSecrets, insertSecret, validSecrets } from './secrets.ts';
import type { SignatureScheme } from './signing/secret.ts';
import { type EndpointRow, tablesOf } from './tables.ts';

/** An endpoint and what its owner verifies with: `whsec_…`, shown this once, or the public key `whpk_…`. */
export interface EndpointWithSecret {
  readonly endpoint: Endpoint;
  readonly secret: string;
}

export interface RotateInput {
  /** How long every secret valid now signs beside the new one; `'0s'` ends them at once. @default 24h */
  overlap?: Duration | undefined;
  /** @default that of the newest secret */
  scheme?: SignatureScheme | undefined;
}

/** The endpoints of one tenant. */
export interface Endpoints {
  /** @throws {ValidationFailed} @throws {TooManyEndpoints} */
  create(
    input: EndpointInput & { scheme?: SignatureScheme | undefined },
    options?: WriteOptions,
  ): Promise<EndpointWithSecret>;
  /** @throws {EndpointNotFound} */
  get(id: string): Promise<Endpoint>;
  /** The newest first, from below the id `before`. */
  list(query?: { limit?: number; before?: string | undefined }): Promise<readonly Endpoint[]>;
  /** Headers given replace all. Enabling sends what was held; disabling holds what is under way. @throws {EndpointNotFound} @throws {ValidationFailed} */
  update(id: string, input: EndpointChanges, options?: WriteOptions): Promise<Endpoint>;
  /** What is under way is cancelled; the log stays until it is purged. @throws {EndpointNotFound} */
  remove(id: string, options?: WriteOptions): Promise<void>;
  /** A new secret; all valid ones sign until the overlap ends. @throws {EndpointNotFound} @throws {TooManySecrets} */
  rotateSecret(
    id: string,
    input?: RotateInput,
    options?: WriteOptions,
  ): Promise<EndpointWithSecret>;
  /** The secrets that sign now, the oldest first. @throws {EndpointNotFound} */
  secrets(id: string): Promise<readonly EndpointSecret[]>;
  /** Sends `webhooks.test`, tried once; brings back an endpoint that was failing. @throws {EndpointNotFound} @throws {EndpointDisabled} */
  test(id: string, options?: WriteOptions): Promise<{ deliveryId: string }>;
}

export function createEndpoints(context: WebhooksContext, acting: ActingFor): Endpoints {
  const { db } = context;
  const { tenantId } = acting;
  /** Runs an act on an endpoint whose row is locked. */
  const onEndpoint = <T>(
    id: string,
    { within }: WriteOptions,
    fn: (trx: Trx, row: EndpointRow, recorded: RecordAct) => Promise<T>,
  ) =>
    transact(within ?? db, async (trx) => {
      const row = await lockEndpoint(trx, tenantId, id);
      return fn(trx, row, recorder(context, trx, acting, id));
    });
  return {
    create: (input, options = {}) => create(context, acting, input, options),
    async get(id) {
      const row = isUuid(id)
        ? await select(context, tenantId).where('id', '=', id).executeTakeFirst()
        : undefined;
      if (row === undefined) throw new EndpointNotFound();
      return toEndpoint(row);
    },
    async list({ limit = 50, before } = {}) {
      const rows = await select(context, tenantId)
        .$if(before !== undefined, (query) => query.where('id', '<', before as string))
        .orderBy('id', 'desc')
        .limit(limit)
        .execute();
      return rows.map(toEndpoint);
    },
    async update(id, input, options = {}) {
      await assertInput(context, input);
      return onEndpoint(id, options, (trx, row, recorded) =>
        update(context, trx, row, input, recorded),
      );
    },
    remove: (id, options = {}) =>
      onEndpoint(id, options, async (trx, _, recorded) => {
        await remove(context, trx, tenantId, id);
        await recorded('webhooks.endpoint.deleted');
      }),
    rotateSecret: (id, { overlap = '24h', scheme } = {}, options = {}) =>
      onEndpoint(id, options, async (trx, row, recorded) => {
        const of = { tenantId, endpointId: id };
        const newest = (await validSecrets(context, trx, of)).find(
          (each) => each.expires_at === null,
        );
        await endSecrets(context, trx, { ...of, overlapMs: toMs(overlap) });
        const made = { ...of, scheme: scheme ?? newest?.scheme ?? 'v1' };
        const { made: secret } = await insertSecret(context, trx, made);
        await recorded('webhooks.secret.rotated', {
          overlapMs: toMs(overlap),
          scheme: made.scheme,
        });
        return { endpoint: toEndpoint(row), secret: secret.verifier };
      }),
    async secrets(id) {
      const { id: endpointId } = await this.get(id);
      return (await validSecrets(context, db, { tenantId, endpointId })).map(toEndpointSecret);
    },
    test: (id, options = {}) =>
      onEndpoint(id, options, async (trx, row, recorded) => {
        const deliveryId = await sendTest(context, trx, row);
        await recorded('webhooks.endpoint.tested');
        return { deliveryId };
      }),
  };
}

type RecordAct = (type: WebhookAct['type'], details?: WebhookAct['details']) => Promise<void>;

const recorder =
  (context: WebhooksContext, trx: Trx, acting: ActingFor, id: string): RecordAct =>
  (type, details = {}) =>
    record(context, trx, acting, { type, target: { type: 'webhook_endpoint', id }, details });

const select = ({ db }: WebhooksContext, tenantId: string) =>
  tablesOf(db).selectFrom('svc_webhooks.endpoints').selectAll().where('tenant_id', '=', tenantId);

async function lockEndpoint(trx: Trx, tenantId: string, id: string): Promise<EndpointRow> {
  const row = isUuid(id)
    ? await tablesOf(trx)
        .selectFrom('svc_webhooks.endpoints')
        .selectAll()
        .where('tenant_id', '=', tenantId)
        .where('id', '=', id)
        .forUpdate()
        .executeTakeFirst()
    : undefined;
  if (row === undefined) throw new EndpointNotFound();
  return row;
}

async function assertInput(
  { allowHttp, eventTypes, checkUrl, logger, name }: WebhooksContext,
  input: EndpointChanges,
): Promise<void> {
  assertEndpoint(input, { allowHttp, eventTypes });
  if (input.url === undefined || checkUrl === undefined) return;
  try {
    await checkUrl(input.url);
  } catch (error) {
    // Why a name was refused would tell what stands behind it in our network.
    logger.info({ err: error, instance: name }, 'the URL of an endpoint was refused');
    const message = 'Must be an address that can be reached from the internet.';
    throw new ValidationFailed([{ pointer: '/url', code: 'url', message }]);
  }
}

async function create(
  context: WebhooksContext,
  acting: ActingFor,
  input: EndpointInput & { scheme?: SignatureScheme | undefined },
  { within }: WriteOptions,
): Promise<EndpointWithSecret> {
  const { db, clock, newId, maxEndpoints } = context;
  const { tenantId } = acting;
  await assertInput(context, input);
  return transact(within ?? db, async (trx) => {
    await assertRoom(trx, tenantId, maxEndpoints);
    const id = newId();
    const now = clock.now();
    const row = await tablesOf(trx)
      .insertInto('svc_webhooks.endpoints')
      .values({ ...toNewRow(context, tenantId, id, input), created_at: now, updated_at: now })
      .returningAll()
      .executeTakeFirstOrThrow();
    const scheme = input.scheme ?? 'v1';
    const { made } = await insertSecret(context, trx, { tenantId, endpointId: id, scheme });
    await recorder(context, trx, acting, id)('webhooks.endpoint.created', { scheme });
    return { endpoint: toEndpoint(row), secret: made.verifier };
  });
}

function toNewRow(
  context: WebhooksContext,
  tenantId: string,
  id: string,
  input: EndpointInput,
): Omit<EndpointRow, 'created_at' | 'updated_at'> {
  return {
    tenant_id: tenantId,
    id,
    url: input.url,
    description: '',
    event_types: ['*'],
    header_names: [],
    sealed_headers: null,
    rate_per_minute: null,
    is_ordered: false,
    status: 'enabled',
    next_slot_at: null,
    ...healthy,
    ...toColumns(context, tenantId, id, input),
  };
}

/** Two that create at once would both find room for one: they take turns. */
async function assertRoom(trx: Trx, tenantId: string, maxEndpoints: number): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${tenantId}, 7745))`.execute(trx);
  const { count } = await tablesOf(trx)
    .selectFrom('svc_webhooks.endpoints')
    .select((eb) => eb.fn.countAll<bigint>().as('count'))
    .where('tenant_id', '=', tenantId)
    .executeTakeFirstOrThrow();
  if (Number(count) >= maxEndpoints) throw new TooManyEndpoints();
}

function toColumns(
  { cipher }: WebhooksContext,
  tenantId: string,
  id: string,
  input: EndpointChanges,
): Partial<EndpointRow> {
  const { url, description, eventTypes, headers, ratePerMinute, isOrdered } = input;
  const names = Object.keys(headers ?? {});
  return {
    ...(url !== undefined && { url: new URL(url).href }),
    ...(description !== undefined && { description }),
    ...(eventTypes !== undefined && { event_types: [...new Set(eventTypes)] }),
    ...(ratePerMinute !== undefined && { rate_per_minute: ratePerMinute }),
    ...(isOrdered !== undefined && { is_ordered: isOrdered }),
    ...(headers !== undefined && {
      header_names: names,
      sealed_headers:
        names.length === 0
          ? null
          : cipher.seal(JSON.stringify(headers), headersContext(tenantId, id)),
    }),
  };
}

/** Custom headers are shown to nobody, and so do not go to another place than they were given for. */
const forgotten = (row: EndpointRow, { url, headers }: EndpointChanges): EndpointChanges =>
  url !== undefined && headers === undefined && new URL(url).origin !== new URL(row.url).origin
    ? { headers: {} }
    : {};

async function update(
  context: WebhooksContext,
  trx: Trx,
  row: EndpointRow,
  { isEnabled, ...input }: EndpointChanges,
  recorded: RecordAct,
): Promise<Endpoint> {
  const { tenant_id: tenantId, id: endpointId } = row;
  const isTurnedOn = isEnabled === true && row.status !== 'enabled';
  const isTurnedOff = isEnabled === false && row.status !== 'disabled';
  const changed = await tablesOf(trx)
    .updateTable('svc_webhooks.endpoints')
    .set({
      ...toColumns(context, tenantId, endpointId, { ...input, ...forgotten(row, input) }),
      ...(isTurnedOn && { ...healthy, status: 'enabled' }),
      ...(isTurnedOff && { ...healthy, status: 'disabled' }),
      updated_at: context.clock.now(),
    })
    .where('tenant_id', '=', tenantId)
    .where('id', '=', endpointId)
    .returningAll()
    .executeTakeFirstOrThrow();
  if (isTurnedOn) await resumeHeld(context, trx, { tenantId, endpointId });
  if (isTurnedOff) await holdPending(trx, { tenantId, endpointId });
  const fields = Object.entries({ ...input, isEnabled }).flatMap(([name, value]) =>
    value === undefined ? [] : [name],
  );
  await recorded('webhooks.endpoint.changed', { fields: fields.join(' '), status: changed.status });
  return toEndpoint(changed);
}

async function remove(
  { clock }: WebhooksContext,
  trx: Trx,
  tenantId: string,
  id: string,
): Promise<void> {
  await tablesOf(trx)
    .deleteFrom('svc_webhooks.endpoints')
    .where('tenant_id', '=', tenantId)
    .where('id', '=', id)
    .execute();
  await tablesOf(trx)
    .updateTable('svc_webhooks.deliveries')
    .set({ status: 'cancelled', finished_at: clock.now() })
    .where('tenant_id', '=', tenantId)
    .where('endpoint_id', '=', id)
    .where('status', 'in', ['pending', 'held'])
    .execute();
}

async function sendTest(context: WebhooksContext, trx: Trx, row: EndpointRow): Promise<string> {
  const { tenant_id: tenantId, id: endpointId, status } = row;
  if (status === 'disabled' || status === 'gone') throw new EndpointDisabled();
  const timestamp = context.clock.now();
  const data = { endpointId };
  const body = toBody({ type: testType, version: 1, timestamp, data }, context.maxPayloadBytes);
  const event = { tenantId, type: testType, version: 1, body };
  const eventId = await insertEvent(context, trx, event);
  const [deliveryId = ''] = await insertDeliveries(context, trx, {
    ...event,
    eventId,
    orderKey: '',
    endpoints: [{ id: endpointId, is_ordered: false }],
    isTest: true,
  });
  if (status === 'failing')
    await tablesOf(trx)
      .updateTable('svc_webhooks.endpoints')
      .set({ probe_delivery_id: deliveryId })
      .where('tenant_id', '=', tenantId)
      .where('id', '=', endpointId)
      .execute();
  return deliveryId;
}
