import type { StackName } from '../gate/arguments.ts';

/** What a scenario cannot do without; a deployed app (`--url`) offers none of it. */
export type Need =
  | 'mail'
  | 'app process'
  | 'postgres server'
  | 'redis server'
  | 'svc command'
  | 'gate controls'
  | 'configured origin'
  | 'fresh database';

/** One A-ID. */
export interface Entry {
  readonly id: string;
  readonly title: string;
  /** `later` is allowed and counted, and never shown as passed. */
  readonly state: 'present' | 'later';
  readonly needs?: readonly Need[];
  /** Measures time, or takes away what others need: no scenario runs beside it. */
  readonly alone?: true;
  /** Where only one stack can show it, and why. */
  readonly only?: { readonly stack: StackName; readonly reason: string };
}

const present = (
  id: string,
  title: string,
  more: Pick<Entry, 'needs' | 'only' | 'alone'> = {},
): Entry => ({
  id,
  title,
  state: 'present',
  ...more,
});
const later = (id: string, title: string): Entry => ({ id, title, state: 'later' });

/** Every A-ID of the acceptance matrix, and below them what the gate shows beyond it. */
export const registry: readonly Entry[] = [
  present('A0', 'Harness: boot, migrate, seed, run, tear down', { needs: ['svc command'] }),
  present('A1-01', 'Register, verify, login, me', { needs: ['mail'], alone: true }),
  present('A1-02', 'Password policy and breach check', {
    needs: ['mail', 'gate controls', 'app process'],
    alone: true,
  }),
  present('A1-03', 'Lockout escalates and cools down', { needs: ['mail', 'gate controls'] }),
  present('A1-04', 'Roles and owner guards', { needs: ['mail', 'gate controls'] }),
  present('A1-05', 'Sessions are listed and revoked', { needs: ['mail'] }),
  present('A1-06', 'API keys', { needs: ['mail'] }),
  present('A1-07', 'Multi-factor sign-in', { needs: ['mail'] }),
  present('A2-01', 'Global rate limit', { needs: ['gate controls'] }),
  present('A2-02', 'Limits per route and per tenant', { needs: ['mail', 'gate controls'] }),
  present('A2-03', 'The window resets', { needs: ['gate controls'] }),
  present('A2-04', 'Slow and large requests, slow handlers', { needs: ['mail', 'gate controls'] }),
  present('A2-05', 'Abuse signals', { needs: ['mail', 'gate controls'] }),
  present('A3-01', 'Idempotency-Key: one execution', {
    needs: ['mail', 'app process', 'gate controls'],
    alone: true,
  }),
  present('A3-02', 'Idempotency-Key: other payload, other caller', { needs: ['mail'] }),
  present('A3-03', 'A stale version is refused', { needs: ['mail'] }),
  present('A4-01', 'A job runs after commit', { needs: ['mail', 'gate controls'] }),
  present('A4-02', 'Retries, dead letters, replay', { needs: ['mail', 'gate controls'] }),
  present('A4-03', 'A cron tick runs once', {
    needs: ['app process', 'gate controls', 'mail'],
    alone: true,
  }),
  present('A4-04', 'A killed worker loses nothing', {
    needs: ['app process', 'gate controls', 'mail'],
    alone: true,
  }),
  present('A5-01', 'Signed webhook delivery', {
    needs: ['mail', 'gate controls', 'app process'],
    alone: true,
  }),
  present('A5-02', 'Webhook retries, log, replay', { needs: ['mail', 'gate controls'] }),
  present('A5-03', 'Webhook secret rotation', { needs: ['mail', 'gate controls'] }),
  present('A5-04', 'Webhooks to private addresses are refused', {
    needs: ['mail', 'gate controls'],
  }),
  present('A6-01', 'The tenant is set on create, lists are scoped', { needs: ['mail'] }),
  present('A6-02', "Another tenant's resource does not exist", {
    needs: ['mail', 'gate controls'],
  }),
  present('A6-03', 'Quotas per tenant', { needs: ['mail', 'gate controls'] }),
  present('A6-04', "A sweep with another tenant's ids finds nothing", {
    needs: ['mail', 'gate controls', 'svc command', 'fresh database'],
    alone: true,
  }),
  present('A6-05', 'Owner, admin, member', { needs: ['mail', 'gate controls'] }),
  later('A7-01', 'Soft delete and undelete'),
  later('A7-02', 'GDPR erasure'),
  later('A7-03', 'Retention'),
  later('A7-04', 'Backup verification'),
  present('A8-01', 'Metrics have bounded labels', { needs: ['mail', 'gate controls'] }),
  present('A8-02', 'Maintenance mode and circuit breaker', { needs: ['mail', 'gate controls'] }),
  present('A8-03', 'Probes while servers stop and start', {
    needs: ['postgres server', 'redis server', 'mail'],
    alone: true,
    only: {
      stack: 'pg-redis',
      reason: 'there is no server to stop: the database lives in the process',
    },
  }),
  present('A8-04', 'SIGTERM: in-flight requests finish, jobs are handed back, exit 0', {
    needs: ['app process', 'gate controls', 'mail'],
    alone: true,
  }),
  present('A9-01', 'The OpenAPI document is complete', { needs: ['gate controls'] }),
  present('A9-02', 'Every error is a conforming problem', { needs: ['mail', 'gate controls'] }),
  present('A9-03', 'Spectral, Redocly, the API doctor and the contract fuzzer', {
    needs: ['mail', 'app process', 'gate controls'],
    alone: true,
  }),
  present('A10-01', 'svc db migrate, rollback, status, seed', {
    needs: ['svc command', 'fresh database'],
  }),
  present('A10-02', 'svc jobs run', {
    needs: ['svc command', 'app process', 'gate controls'],
    alone: true,
  }),
  later('A10-03', 'Generated clients'),
  later('A10-04', 'Help of every command'),
  later('A11-01', 'Impersonation'),
  later('A11-02', 'The dashboard in a browser'),
  later('A22-01', 'Storage: local backend'),
  later('A22-02', 'Storage: S3 backend'),
  later('A22-03', 'Storage: backend detection'),
  later('A22-04', 'Storage: deletion'),
  later('A22-05', 'Storage: metadata and listing'),
  later('A22-06', 'Storage: ranges, conditions, signed URLs, quota, traversal'),
  present('X-01', '/ping answers'),
  present('X-02', 'Security headers on every answer'),
  present('X-03', 'CORS as configured', { needs: ['configured origin'] }),
  present('X-04', 'Bad input changes nothing', { needs: ['mail'] }),
  present('X-05', 'Bad settings: exit code 78', { needs: ['app process'] }),
  present('X-06', 'No secret stands in a table, a Redis key or the log', {
    needs: ['postgres server', 'mail', 'gate controls'],
    only: {
      stack: 'pg-redis',
      reason: "nobody else can read the database while the app's process has it locked",
    },
  }),
  present('X-07', 'Limits per route, and of mails to a mailbox', {
    needs: ['mail', 'gate controls'],
    alone: true,
  }),
];

/** The A-IDs of the matrix, group by group: what the registry must account for. */
const matrixGroups: Readonly<Record<string, number>> = {
  A1: 7,
  A2: 5,
  A3: 3,
  A4: 4,
  A5: 4,
  A6: 5,
  A7: 4,
  A8: 4,
  A9: 3,
  A10: 4,
  A11: 2,
  A22: 6,
};

/** What is wrong with the registry itself: an A-ID that is missing or is there twice, a file for none. */
export function registryFaults(fileIds: readonly string[]): string[] {
  const numbered = Object.entries(matrixGroups).flatMap(([group, count]) =>
    Array.from({ length: count }, (_, index) => `${group}-${String(index + 1).padStart(2, '0')}`),
  );
  const expected = ['A0', ...numbered];
  const ids = registry.map((entry) => entry.id);
  const missing = expected.filter((id) => !ids.includes(id));
  const twice = ids.filter((id, index) => ids.indexOf(id) !== index);
  const foreign = ids.filter((id) => !expected.includes(id) && !id.startsWith('X-'));
  const unknown = fileIds.filter((id) => !ids.includes(id));
  return [
    ...missing.map((id) => `${id} of the matrix is neither present nor expected later`),
    ...twice.map((id) => `${id} is there twice`),
    ...foreign.map((id) => `${id} is not in the matrix`),
    ...unknown.map((id) => `${id} has a scenario file and is not in the registry`),
  ];
}
