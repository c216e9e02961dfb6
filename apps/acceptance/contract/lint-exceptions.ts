import type { LintFinding } from './lint-document.ts';

/** What a rule says where it does not apply. */
export interface LintException {
  readonly rule: string;
  readonly reason: string;
  /** @default everywhere */
  readonly where?: (finding: LintFinding, document: object) => boolean;
}

const isAnswer = ({ path }: LintFinding) => path.includes('responses') || path[0] === 'components';
const isProbe = ({ path }: LintFinding) => /^\/(?:healthz|readyz|startupz)$/.test(path[1] ?? '');
const isPublic = ({ path }: LintFinding, document: object) => {
  const [, route = '', method = ''] = path;
  const { paths } = document as { paths: Record<string, Record<string, { security?: unknown[] }>> };
  return paths[route]?.[method]?.security?.length === 0;
};
const bounded = 'Limits are for what clients send; an answer is as long as what the app holds.';
const loopback = 'The gate has the app on this machine; in production PUBLIC_URL must be https.';
const examined =
  'The API doctor knows each operation that anybody may call, with the reason for it.';

/** Rules that are followed nowhere, and why: Spectral does not run them. */
export const switchedOff: Readonly<Record<string, string>> = {
  'owasp:api4:2023-string-restricted':
    'Names and descriptions are free text of a limited length; ids and times have formats.',
  'operation-description':
    'Every operation has a summary; a description says more only where there is more.',
};

/** Every other rule that is not followed, where, and why. */
export const exceptions: readonly LintException[] = [
  { rule: 'owasp:api4:2023-string-limit', reason: bounded, where: isAnswer },
  {
    rule: 'owasp:api4:2023-string-limit',
    reason: 'A UUID, a time and an anchored pattern are bounded; the API doctor looks at the rest.',
    where: (finding, document) =>
      /"(?:format|pattern)":/.test(JSON.stringify(at(document, finding))),
  },
  { rule: 'owasp:api4:2023-array-limit', reason: bounded, where: isAnswer },
  { rule: 'owasp:api4:2023-integer-limit', reason: bounded, where: isAnswer },
  {
    rule: 'owasp:api8:2023-define-cors-origin',
    reason: 'A field of a body that is called headers is none of the answer.',
    where: ({ path }) => path.includes('requestBody'),
  },
  { rule: 'owasp:api2:2023-write-restricted', reason: examined, where: isPublic },
  { rule: 'owasp:api2:2023-read-restricted', reason: examined, where: isPublic },
  {
    rule: 'owasp:api8:2023-define-error-responses-401',
    reason: 'What needs no credentials refuses nobody for want of them.',
    where: isPublic,
  },
  {
    rule: 'owasp:api4:2023-rate-limit-responses-429',
    reason: 'Probes answer whoever asks: a balancer that is refused takes the app out.',
    where: isProbe,
  },
  {
    rule: 'owasp:api4:2023-rate-limit',
    reason: 'Probes are not counted.',
    where: isProbe,
  },
  {
    rule: 'owasp:api1:2023-no-numeric-ids',
    reason: 'The rule takes a choice between a UUID and a word for a number.',
    where: (finding, document) => !JSON.stringify(at(document, finding)).includes('integer'),
  },
  { rule: 'owasp:api8:2023-no-server-http', reason: loopback },
  { rule: 'owasp:api9:2023-inventory-access', reason: loopback },
  { rule: 'owasp:api9:2023-inventory-environment', reason: loopback },
  { rule: 'redocly:no-server-example.com', reason: loopback },
  {
    rule: 'redocly:operation-2xx-response',
    reason: 'Browsers are sent on to and from providers: these operations redirect.',
    where: ({ path }) => (path[1] ?? '').includes('oauth'),
  },
];

const at = (document: object, { path }: LintFinding): unknown =>
  path.reduce<unknown>(
    (part, key) => (part as Record<string, unknown> | undefined)?.[key],
    document,
  );
