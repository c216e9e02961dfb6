import { failure } from '@svc/core';

/** A limit is used up. `details.retryAfterSeconds` never says less than it takes; `violatedPolicies` names the limits. */
export class RateLimited extends failure(
  'ratelimit.exceeded',
  'rate_limited',
  'There were too many requests.',
) {
  constructor({ retryAfterMs, policies }: { retryAfterMs: number; policies: readonly string[] }) {
    super({
      retryAfterSeconds: Math.max(1, Math.ceil(retryAfterMs / 1000)),
      violatedPolicies: policies,
      // The names of draft-ietf-httpapi-ratelimit-headers section 5.1 (problem type and extension member).
      'violated-policies': policies,
      problemType: `${problemTypes}quota-exceeded`,
    });
  }
}

/** It costs more than the limit ever lets through at once: trying again never helps. */
export class CostTooHigh extends failure(
  'ratelimit.cost_too_high',
  'too_large',
  'The request is larger than its limit ever allows.',
) {
  constructor(policy: string) {
    super({ violatedPolicies: [policy], 'violated-policies': [policy] });
  }
}

/** A limit that must not be passed uncounted cannot be counted at the moment. */
export class LimiterUnavailable extends failure(
  'ratelimit.unavailable',
  'unavailable',
  'The service cannot take this request at the moment.',
) {
  constructor(options?: ErrorOptions) {
    super(
      { retryAfterSeconds: 1, problemType: `${problemTypes}temporary-reduced-capacity` },
      options,
    );
  }
}

/** A caller is cut off, for a time, because of what it did or by a person. */
export class CallerBlocked extends failure(
  'ratelimit.caller_blocked',
  'forbidden',
  'Requests from here are blocked for some time.',
) {
  constructor(blockedForMs: number) {
    super({
      retryAfterSeconds: Math.max(1, Math.ceil(blockedForMs / 1000)),
      problemType: `${problemTypes}abnormal-usage-detected`,
    });
  }
}

/** A suspicious caller is made to wait, and too many wait already. */
export class CallerSlowed extends failure(
  'ratelimit.caller_slowed',
  'rate_limited',
  'Requests from here are slowed down.',
) {
  constructor(slowByMs: number) {
    super({
      retryAfterSeconds: Math.max(1, Math.ceil(slowByMs / 1000)),
      problemType: `${problemTypes}abnormal-usage-detected`,
    });
  }
}

const problemTypes = 'https://iana.org/assignments/http-problem-types#';
