import type { OpenApiDocument } from '@svc/http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { fuzz } from '../contract/fuzz.ts';
import { lintDocument } from '../contract/lint-document.ts';
import { anyAddress, baseUrl, control, expectJson, request, signUpInTenant } from './client.ts';

test('the API doctor has no finding', async () => {
  const { findings } = await expectJson<{ findings: unknown[] }>(request('/_acceptance/doctor'));
  expect(findings, JSON.stringify(findings, null, 1)).toEqual([]);
});

test(
  'Spectral with the OWASP rules and Redocly have no finding that is not excepted with a reason',
  { timeout: 120_000 },
  async () => {
    const findings = await lintDocument(await expectJson<object>(request('/openapi.json')));
    expect(findings, findings.slice(0, 50).join('\n')).toEqual([]);
  },
);

/** So much that nobody is held back for what the fuzzer sends. */
const raisedLimits = {
  ...Object.fromEntries(
    'QUOTA SIGN_IN_QUOTA MAIL_ADDRESS_QUOTA MAIL_RECIPIENT_QUOTA CREATE_QUOTA TENANTS_QUOTA FREE_PLAN_QUOTA PRO_PLAN_QUOTA'
      .split(' ')
      .map((name) => [`RATE_LIMIT_${name}`, '1000000']),
  ),
  ABUSE_SLOW_AT: '1000000',
  ABUSE_BLOCK_AT: '1000000',
  FREE_PLAN_PROJECTS: '100000',
  HANDLER_TIMEOUT_MS: '10000',
};

/** What somebody who may is not made to call, and why. */
const spared = {
  pauseJobs: 'Nothing would be mailed any more.',
  resumeJobs: 'It belongs to the other.',
};

const limits = 'A query is text: that its number is from 1 to 100 no pattern of it says.';

/** What refuses more than its schema can say, and why. */
const stricter = {
  register: 'A password must be long and in no breach.',
  changePassword: 'A password must be long and in no breach.',
  resetPassword: 'A password must be long and in no breach.',
  createApiKey: 'Scopes are permissions of the app.',
  rotateApiKey: 'An overlap is a duration with a limit.',
  changeMemberRole: 'Roles are those of the app.',
  inviteMember: 'Roles are those of the app.',
  createWebhookEndpoint: 'Event types are those of the app, and addresses are looked up.',
  updateWebhookEndpoint: 'Event types are those of the app, and addresses are looked up.',
  rotateWebhookSecret: 'An overlap is a duration with a limit.',
  listWebhookDeliveries: limits,
  listWebhookEndpoints: limits,
  listMembers: limits,
  listJobs: limits,
  searchAuditLog: limits,
  listAuditCheckpoints: limits,
  listProjects: limits,
  listProjectsOfAll: limits,
  listUsers: limits,
  listTenantsOfAll: limits,
  listCallers: limits,
};

describe('the fuzzer', () => {
  beforeAll(async () => {
    await control('app/terminate', { signal: 'SIGTERM' });
    await control('app/start', { environment: raisedLimits });
  }, 60_000);
  afterAll(async () => {
    await control('app/terminate', { signal: 'SIGTERM' });
    await control('app/start', {});
  }, 60_000);

  test(
    'finds nothing in which the app is not as its document says',
    { timeout: 900_000 },
    async () => {
      const document = await expectJson<OpenApiDocument>(request('/openapi.json'));
      const administrator = await control('administrator');
      let person = await signUpInTenant();
      const isStaff = (path: string) => path.startsWith('/admin/');
      const tokenFor = { nobody: undefined, 'made up': 'A'.repeat(43) };
      const seed = Number(process.env['FUZZ_SEED'] ?? 20_261_121);
      const { findings, requests, reached } = await fuzz({
        document,
        seed,
        requests: Number(process.env['FUZZ_REQUESTS'] ?? 1000),
        baseUrl,
        spared,
        stricter,
        // What staff does to somebody could be done to who runs other scenarios.
        isForeign: isStaff,
        // Some operations end the session, or the tenant, of who calls them.
        between: async () => {
          if ((await request('/projects', { as: person.token })).status !== 200)
            person = await signUpInTenant();
        },
        send: ({ sender, path }, { target, method = 'GET', headers, body }) => {
          const known = isStaff(path) ? administrator.token : person.token;
          const as = sender === 'known' ? known : tokenFor[sender];
          return request(target, {
            method,
            headers: { ...(headers as Record<string, string>) },
            ...(body !== undefined && { body: body as string }),
            ...(as !== undefined && { as }),
            from: anyAddress(),
          });
        },
      });
      const told = findings.map(
        ({ operation, check, message, curl }) => `${operation} ${check}: ${message}\n  ${curl}`,
      );
      expect(findings, `seed ${seed}, ${requests} requests\n${told.join('\n')}`).toEqual([]);
      expect(requests).toBeGreaterThan(800);
      // It got beyond what guards refuse.
      expect(reached.size).toBeGreaterThan(55);
    },
  );
});
