import * as v from 'valibot';

const Uuid = v.pipe(v.string(), v.uuid());
const Timestamp = v.pipe(v.string(), v.isoTimestamp());
const Text = (max: number) => v.pipe(v.string(), v.maxLength(max));
const Scheme = v.picklist(['v1', 'v1a']);
const DeliveryState = v.picklist(['pending', 'delivered', 'failed', 'held', 'cancelled']);
const Limit = v.optional(
  v.pipe(v.string(), v.regex(/^\d{1,3}$/), v.transform(Number), v.minValue(1), v.maxValue(100)),
  '50',
);

export const IdParam = v.strictObject({ id: Uuid });

const endpointFields = {
  description: v.optional(Text(500)),
  eventTypes: v.optional(v.pipe(v.array(Text(128)), v.maxLength(100))),
  headers: v.optional(v.record(Text(128), Text(4096))),
  ratePerMinute: v.optional(
    v.nullable(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(100_000))),
  ),
  isOrdered: v.optional(v.boolean()),
};
export const CreateEndpointSchema = v.strictObject({
  url: Text(2048),
  ...endpointFields,
  scheme: v.optional(Scheme),
});
export const UpdateEndpointSchema = v.strictObject({
  url: v.optional(Text(2048)),
  ...endpointFields,
  isEnabled: v.optional(v.boolean()),
});
export const RotateSchema = v.strictObject({
  overlapSeconds: v.optional(
    v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(30 * 86_400)),
  ),
  scheme: v.optional(Scheme),
});
export const ListSchema = v.strictObject({ limit: Limit, before: v.optional(Uuid) });

const filterFields = {
  endpointId: v.optional(Uuid),
  eventId: v.optional(Uuid),
  eventType: v.optional(Text(128)),
  status: v.optional(DeliveryState),
  since: v.optional(Timestamp),
  until: v.optional(Timestamp),
};
export const ListDeliveriesSchema = v.strictObject({
  ...filterFields,
  limit: Limit,
  before: v.optional(Uuid),
});
export const ReplaySchema = v.strictObject(filterFields);
export const StatsSchema = v.strictObject({
  endpointId: v.optional(Uuid),
  since: v.optional(Timestamp),
});

export const EndpointBody = v.object({
  id: Uuid,
  url: v.string(),
  description: v.string(),
  eventTypes: v.array(v.string()),
  headerNames: v.array(v.string()),
  ratePerMinute: v.nullable(v.number()),
  isOrdered: v.boolean(),
  status: v.picklist(['enabled', 'disabled', 'gone', 'failing']),
  failingSince: v.nullable(Timestamp),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});
export const EndpointWithSecretBody = v.object({ endpoint: EndpointBody, secret: v.string() });
export const EndpointList = v.object({
  items: v.array(EndpointBody),
  /** The `before` of the next page. */
  next: v.nullable(Uuid),
});
export const SecretList = v.object({
  items: v.pipe(
    v.array(
      v.object({
        id: Uuid,
        scheme: Scheme,
        publicKey: v.nullable(v.string()),
        createdAt: Timestamp,
        expiresAt: v.nullable(Timestamp),
      }),
    ),
    v.maxLength(10),
  ),
});
const deliveryEntries = {
  id: Uuid,
  eventId: Uuid,
  eventType: v.string(),
  endpointId: Uuid,
  status: DeliveryState,
  isTest: v.boolean(),
  attempts: v.number(),
  nextAttemptAt: v.nullable(Timestamp),
  createdAt: Timestamp,
  finishedAt: v.nullable(Timestamp),
};
export const DeliveryBody = v.object(deliveryEntries);
export const DeliveryList = v.object({ items: v.array(DeliveryBody), next: v.nullable(Uuid) });
export const DeliveryWithTries = v.object({
  ...deliveryEntries,
  body: v.string(),
  tries: v.array(
    v.object({
      number: v.number(),
      outcome: v.picklist(['sending', 'succeeded', 'failed', 'lost']),
      startedAt: Timestamp,
      durationMs: v.nullable(v.number()),
      status: v.nullable(v.number()),
      error: v.nullable(v.string()),
      response: v.nullable(v.string()),
    }),
  ),
});
export const TestBody = v.object({ deliveryId: Uuid });
export const ReplayBody = v.object({ replayed: v.number(), hasMore: v.boolean() });
export const StatsBody = v.object({
  deliveries: v.object({
    pending: v.number(),
    delivered: v.number(),
    failed: v.number(),
    held: v.number(),
    cancelled: v.number(),
  }),
  attempts: v.object({ succeeded: v.number(), failed: v.number(), lost: v.number() }),
  p50Ms: v.nullable(v.number()),
  p95Ms: v.nullable(v.number()),
});
export const EventTypeList = v.object({
  items: v.array(v.object({ type: v.string(), version: v.number(), description: v.string() })),
});
