import { failure } from '@svc/core';

/** Why an incoming webhook was refused. */
export type SignatureFault = 'missing' | 'malformed' | 'stale' | 'mismatch';

/** An incoming webhook is not signed by a secret that is known, or not now. `details.reason` says which. */
export class InvalidSignature extends failure(
  'webhooks.invalid_signature',
  'unauthenticated',
  'The signature of the webhook is not valid.',
) {
  constructor(reason: SignatureFault) {
    super({ reason });
  }
}

/** The same webhook is being worked on at this moment; its sender tries again. */
export class WebhookInProgress extends failure(
  'webhooks.in_progress',
  'conflict',
  'This webhook is being processed.',
) {
  constructor() {
    super({ retryAfterSeconds: 5 });
  }
}

/** The tenant has no such endpoint. */
export class EndpointNotFound extends failure(
  'webhooks.endpoint_not_found',
  'not_found',
  'There is no such endpoint.',
) {}

/** The tenant has no such delivery. */
export class DeliveryNotFound extends failure(
  'webhooks.delivery_not_found',
  'not_found',
  'There is no such delivery.',
) {}

/** The tenant has as many endpoints as it may have. */
export class TooManyEndpoints extends failure(
  'webhooks.too_many_endpoints',
  'conflict',
  'There are as many endpoints as there may be.',
) {}

/** So many former secrets still sign that no further one is made. */
export class TooManySecrets extends failure(
  'webhooks.too_many_secrets',
  'conflict',
  'Too many former secrets are still valid. Wait until one ends, or rotate with a shorter overlap.',
) {}

/** Nothing is sent to an endpoint that is off. */
export class EndpointDisabled extends failure(
  'webhooks.endpoint_disabled',
  'conflict',
  'The endpoint is disabled. Enable it first.',
) {}

/** A delivery is replayed once it is over. */
export class DeliveryPending extends failure(
  'webhooks.delivery_pending',
  'conflict',
  'The delivery is still being tried.',
) {}

/** The body would be larger than receivers must take. */
export class PayloadTooLarge extends failure(
  'webhooks.payload_too_large',
  'too_large',
  'The payload of the event is too large.',
) {
  constructor(maxBytes: number) {
    super({ maxBytes });
  }
}
