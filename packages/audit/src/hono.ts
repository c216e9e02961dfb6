import * as v from 'valibot';
import { InvalidCursor, ValidationFailed } from '@svc/core';
import { type HttpEnv, noStore, operation, validated } from '@svc/http/hono';
import { type Context, Hono, type MiddlewareHandler } from 'hono';
import type { Audit } from './audit.ts';
import type { AuditActor } from './event.ts';
import { PurgedMeanwhile } from './failures.ts';
import type { LogScope } from './log-lines.ts';
import {
  CheckpointPage,
  CheckpointsQuery,
  EntryPage,
  ExportQuery,
  SearchQuery,
  VerificationBody,
  VerifyQuery,
} from './schemas.ts';

export interface AuditRoutesOptions {
  /** Lets pass who may read the log; the app's. Of `@svc/auth`: `requirePermission(auth, 'audit.read')`, behind `requireUser(auth)`. */
  guard: MiddlewareHandler;
  /** To whose log a reader is held, whatever they ask: the id of the tenant that they administer. @default 'every': whoever passes the guard reads every log */
  scopeOf?: (c: Context) => LogScope;
  /** Who reads, so that reading is in the log, too (PCI DSS 10.2.1.3). @default reading is not recorded */
  actorOf?: (c: Context) => AuditActor;
  /** What this log is called in the ids of operations; two in one app differ. @default 'Audit' */
  name?: string;
}

const tags = ['Audit log'];

/** The routes of the log, to be mounted where the app wants them: `app.route('/admin/audit', auditRoutes(audit, { guard }))`. */
export function auditRoutes(
  audit: Audit,
  { guard, scopeOf, actorOf, name = 'Audit' }: AuditRoutesOptions,
) {
  const scoped = (c: Context, asked: string): LogScope => {
    if (scopeOf === undefined) return toScope(asked);
    const held = scopeOf(c);
    // Not the log of the service, which is `null`: a tenant that was not found would open it.
    if (held === undefined) throw new TypeError('scopeOf must answer a scope');
    return held === 'every' ? toScope(asked) : held;
  };
  const record = async (c: Context, type: string, scope: LogScope) => {
    if (actorOf === undefined) return;
    await audit.append({
      type,
      actor: actorOf(c),
      tenantId: scope === 'every' ? null : scope,
      requestId: (c.get('requestId') as string | undefined) ?? null,
    });
  };

  return new Hono<HttpEnv>()
    .use(noStore, guard)
    .get(
      '/events',
      operation({
        id: `search${name}Log`,
        summary: 'Search the audit log, the newest first',
        tags,
        responses: { 200: { description: 'A page of sealed events.', schema: EntryPage } },
        failures: [ValidationFailed, InvalidCursor],
      }),
      validated('query', SearchQuery),
      async (c) => {
        const { tenantId, ...query } = c.req.valid('query');
        const scope = scoped(c, tenantId);
        const page = await audit.search({ ...query, tenantId: scope });
        await record(c, 'audit.log.searched', scope);
        return c.json(
          {
            items: page.items.map((entry) => ({
              ...entry,
              at: entry.at.toISOString(),
              sealedAt: entry.sealedAt.toISOString(),
            })),
            nextCursor: page.nextCursor,
          },
          200,
        );
      },
    )
    .get(
      '/events/export',
      operation({
        id: `export${name}Log`,
        summary: 'Export the audit log',
        description:
          'NDJSON of a whole log can be verified offline. With any condition beside the tenant it is a selection, which cannot.',
        tags,
        responses: {
          200: {
            description: 'A file, NDJSON or CSV.',
            contentType: ['application/x-ndjson', 'text/csv'],
            schema: v.string(),
            example: 'One line for each entry.',
          },
        },
        failures: [ValidationFailed],
      }),
      validated('query', ExportQuery),
      async (c) => {
        const { tenantId, ...query } = c.req.valid('query');
        const scope = scoped(c, tenantId);
        await record(c, 'audit.log.exported', scope);
        c.header('Content-Type', contentTypes[query.format]);
        c.header('Content-Disposition', `attachment; filename="audit-log.${query.format}"`);
        return c.body(toStream(audit.export({ ...query, tenantId: scope })), 200);
      },
    )
    .get(
      '/checkpoints',
      operation({
        id: `list${name}Checkpoints`,
        summary: 'List the signed checkpoints of a log, the newest first',
        tags,
        responses: { 200: { description: 'A page of checkpoints.', schema: CheckpointPage } },
        failures: [ValidationFailed, InvalidCursor],
      }),
      validated('query', CheckpointsQuery),
      async (c) => {
        const { tenantId, ...query } = c.req.valid('query');
        const scope = scoped(c, tenantId);
        const page = await audit.checkpoints({ ...query, tenantId: scope });
        const items = page.items.map((each) => ({ ...each, at: each.at.toISOString() }));
        return c.json({ items, nextCursor: page.nextCursor }, 200);
      },
    )
    .post(
      '/verify',
      operation({
        id: `verify${name}Log`,
        summary: 'Verify the audit log',
        description: 'Reads every entry: about half a minute for a million.',
        tags,
        responses: { 200: { description: 'What was found.', schema: VerificationBody } },
        failures: [ValidationFailed, PurgedMeanwhile],
      }),
      validated('query', VerifyQuery),
      async (c) => {
        const scope = scoped(c, c.req.valid('query').tenantId);
        const result = await audit.verify({ tenantId: scope });
        await record(c, 'audit.log.verified', scope);
        return c.json(result, 200);
      },
    );
}

const contentTypes = { ndjson: 'application/x-ndjson', csv: 'text/csv; charset=utf-8' };

const toScope = (asked: string): LogScope => (asked === 'service' ? null : asked);

/** A body that reads on only as fast as it is taken, and stops reading when the client leaves. */
function toStream(chunks: AsyncIterable<string>): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  const encoder = new TextEncoder();
  return new ReadableStream({
    async pull(controller) {
      const next = await iterator.next();
      if (next.done === true) controller.close();
      else controller.enqueue(encoder.encode(next.value));
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}
