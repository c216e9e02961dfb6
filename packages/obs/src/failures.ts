import { failure } from '@svc/core';

/** Who asks for metrics did not say the token. Answered with 401. */
export class MetricsRefused extends failure(
  'obs.metrics_refused',
  'unauthenticated',
  'Metrics need the token of this service.',
) {}
