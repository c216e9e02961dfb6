export {
  type ActingFor,
  type Actor,
  type AppendAudit,
  type Origin,
  type WebhookAct,
  type WebhookActType,
  webhookActTypes,
  type WebhookAuditEvent,
} from './acts.ts';
export type { CheckUrl, WriteOptions } from './context.ts';
export type { Deliver, DeliverResult } from './deliver.ts';
export type { Attempt, Deliveries, Delivery, DeliveryFilter, DeliveryStats } from './deliveries.ts';
export type { Endpoint, EndpointChanges, EndpointInput, EndpointSecret } from './endpoint.ts';
export type { Endpoints, EndpointWithSecret, RotateInput } from './endpoints.ts';
export { defineEventType, type EventType, type EventTypeOptions } from './event-type.ts';
export { acted, attempted, incoming, noticed, published } from './events.ts';
export {
  DeliveryNotFound,
  DeliveryPending,
  EndpointDisabled,
  EndpointNotFound,
  InvalidSignature,
  PayloadTooLarge,
  type SignatureFault,
  TooManyEndpoints,
  TooManySecrets,
  WebhookInProgress,
} from './failures.ts';
export type { Notice, Notify } from './health.ts';
export type { HeadersLike } from './incoming/headers.ts';
export type { InboxClaim, InboxKey, WebhookInbox } from './incoming/inbox.ts';
export {
  bodyVerifier,
  type BodySignatureOptions,
  githubVerifier,
  stripeVerifier,
} from './incoming/styles.ts';
export {
  createWebhookVerifier,
  type IncomingWebhook,
  type VerifiedWebhook,
  type VerifyOptions,
  verifyWebhook,
  type WebhookVerifier,
} from './incoming/verify.ts';
export type { EventInput, Publish, Published } from './publish.ts';
export type { Purged } from './purge.ts';
export {
  deliverTask,
  type DeliverPayload,
  type Enqueue,
  type EnqueueMany,
  type QueuedDelivery,
} from './queue.ts';
export { createWebhookSecret, type SignatureScheme, type WebhookSecret } from './signing/secret.ts';
export { createWebhookSigner, type SignedMessage, type WebhookSigner } from './signing/sign.ts';
export type { AttemptOutcome, DeliveryStatus, EndpointStatus } from './tables.ts';
export {
  createWebhooks,
  type TenantWebhooks,
  type Webhooks,
  type WebhooksOptions,
} from './webhooks.ts';
export { memoryInbox } from './stores/memory.ts';
