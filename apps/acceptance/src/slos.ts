import { slo } from '@svc/obs';

/** What Projects promises to those who are signed in. */
export const slos = [
  slo({
    name: 'signed-in',
    objective: 0.999,
    routes: 'user',
    latency: { under: '500ms', objective: 0.99 },
  }),
];
