import { AccessDenied, type Auth } from '@svc/auth';
import { type AuthEnv, type PagesOptions, requireUser } from '@svc/auth/hono';
import { type Db, transact } from '@svc/db';
import { operation, validated } from '@svc/http/hono';
import type { Idempotency } from '@svc/idempotency';
import { idempotencyFailures, type IdempotencyEnv, idempotent } from '@svc/idempotency/hono';
import { type Tenancy, TenantMismatch, TenantNotFound, TenantSuspended } from '@svc/tenancy';
import { requireTenant, type TenantEnv } from '@svc/tenancy/hono';
import { Hono, type MiddlewareHandler } from 'hono';
import * as v from 'valibot';
import type { TenantMfa } from '../tenants/mfa.ts';
import { tenantPrincipal } from '../tenants/principal.ts';
import {
  ExportNotFound,
  ExportNotReady,
  type ProjectExport,
  type ProjectExports,
} from './exports.ts';
import { ExportBody, ProjectId } from './schemas.ts';

const tags = ['Projects'];

type Variables = (AuthEnv & TenantEnv)['Variables'];

interface ExportRoutesNeeds {
  projectExports: ProjectExports;
  auth: Auth;
  tenancy: Tenancy;
  idempotency: Idempotency;
  /** One that knows the tables of tenants. */
  db: Db;
  /** Stands behind what finds the tenant. */
  mfa: TenantMfa;
  /** Stands where person and tenant are known. */
  limit: MiddlewareHandler;
}

/** `/projects/exports`: all projects of the tenant in one file, written by a job. */
export function exportRoutes(
  { projectExports, auth, tenancy, idempotency, db, mfa, limit }: ExportRoutesNeeds,
  pages: PagesOptions,
) {
  const once = idempotent(idempotency, {
    // A key of theirs, which may do less, is another caller.
    caller: (c) =>
      [c.get('tenant').id, c.get('principal').userId, c.get('principal').apiKey?.id ?? ''].join(
        ' ',
      ),
    transact: (_, work) => transact(db, work),
    methods: ['POST'],
  });
  const exportsOf = ({ var: { principal, tenant } }: { var: Variables }) =>
    projectExports.forPrincipal(principal, tenant);
  const refusals = [TenantMismatch, TenantNotFound, TenantSuspended, AccessDenied];
  return new Hono<AuthEnv & TenantEnv & IdempotencyEnv>()
    .use(requireUser(auth, { ...pages, accept: 'any' }))
    .use(requireTenant(tenancy, { principal: tenantPrincipal }))
    .use(mfa)
    .use(limit)
    .post(
      '/',
      operation({
        id: 'createExport',
        summary: 'Ask for an export of all projects of the tenant',
        description: 'It is written in the background; ask how it stands until it is ready.',
        tags,
        responses: { 202: { description: 'It was asked for', schema: ExportBody } },
        failures: [...refusals, ...idempotencyFailures],
      }),
      once,
      async (c) => {
        const made = await exportsOf(c).request({ within: c.get('idempotencyTrx') });
        c.header('location', `/projects/exports/${made.id}`);
        return c.json(toExportBody(made), 202);
      },
    )
    .get(
      '/:id',
      operation({
        id: 'getExport',
        summary: 'How an export stands',
        tags,
        responses: { 200: { description: 'The export', schema: ExportBody } },
        failures: [ExportNotFound, ...refusals],
      }),
      validated('param', ProjectId),
      async (c) => c.json(toExportBody(await exportsOf(c).get(c.req.valid('param').id))),
    )
    .get(
      '/:id/download',
      operation({
        id: 'downloadExport',
        summary: 'Read an export that is ready',
        description: 'A project as JSON in each line (NDJSON), the newest first.',
        tags,
        responses: {
          200: {
            description: 'The projects',
            schema: v.string(),
            contentType: 'application/x-ndjson',
          },
        },
        failures: [ExportNotFound, ExportNotReady, ...refusals],
      }),
      validated('param', ProjectId),
      async (c) => {
        const { id } = c.req.valid('param');
        const content = await exportsOf(c).read(id);
        return c.body(content, 200, {
          'content-type': 'application/x-ndjson',
          'content-disposition': `attachment; filename="projects-${id}.ndjson"`,
        });
      },
    );
}

const toExportBody = (of: ProjectExport) => ({
  ...of,
  createdAt: of.createdAt.toISOString(),
  finishedAt: of.finishedAt?.toISOString() ?? null,
  expiresAt: of.expiresAt?.toISOString() ?? null,
});
