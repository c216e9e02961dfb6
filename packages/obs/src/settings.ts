import { setting } from '@svc/core';
import * as v from 'valibot';

/** The variables of metrics and traces, to be spread into an app's settings schema. */
export const obsSettings = {
  METRICS_TOKEN: v.optional(
    setting.secret(
      'the bearer token of /metrics, of at least 32 characters; without it there is no /metrics',
      {
        minLength: 32,
      },
    ),
  ),
  TRACE_TRUST: v.optional(
    setting.oneOf(
      "whose traceparent is continued: nobody's where clients call (edge), the callers' within a mesh",
      ['edge', 'mesh'],
    ),
    'edge',
  ),
};
