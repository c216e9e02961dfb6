import { type Actor, actorOf, type Auth } from '@svc/auth';
import {
  type AuthEnv,
  originOf,
  type PagesOptions,
  requirePermission,
  requireUser,
} from '@svc/auth/hono';
import type { Clock } from '@svc/core';
import { type Db, transact, type Trx } from '@svc/db';
import { operation, validated } from '@svc/http/hono';
import { type AbuseGuard, type KnownCaller, LimiterUnavailable } from '@svc/ratelimit';
import { Hono } from 'hono';
import type { Permission, Role } from '../authorization.ts';
import { CallerId, CallerList, ListCallers } from './schemas.ts';

const tags = ['Administration'];

/** An entry about a caller, for the audit log. The caller is an address, and so personal. */
export interface CallerUnblocked {
  readonly type: 'abuse.caller_unblocked';
  readonly actor: Actor;
  readonly requestId: string | null;
  readonly personal: { readonly caller: string };
}

interface AbuseRoutesNeeds {
  abuse: AbuseGuard;
  auth: Auth<Permission, Role>;
  audit: (entry: CallerUnblocked, options: { within: Trx }) => Promise<void>;
  db: Db;
  clock: Clock;
}

/** `/admin/abuse`: the callers that misbehave, for staff. */
export function abuseRoutes(
  { abuse, auth, audit, db, clock }: AbuseRoutesNeeds,
  pages: PagesOptions,
) {
  const confirmed = requireUser(auth, { ...pages, level: 2, maxAge: '15m' });
  const toBody = ({ caller, score, standing, blockedForMs }: KnownCaller) => ({
    id: Buffer.from(caller).toString('base64url'),
    caller,
    score: Math.round(score * 10) / 10,
    standing,
    blockedUntil:
      blockedForMs === 0 ? null : new Date(clock.now().getTime() + blockedForMs).toISOString(),
  });
  return new Hono<AuthEnv>()
    .use(requireUser(auth, pages))
    .use(requirePermission(auth, 'abuse.manage'))
    .get(
      '/',
      operation({
        id: 'listCallers',
        summary: 'List callers that misbehave, the worst first',
        description: 'Who is blocked stands first, then who has the highest score.',
        tags,
        responses: { 200: { description: 'The callers', schema: CallerList } },
        failures: [LimiterUnavailable],
      }),
      validated('query', ListCallers),
      async (c) => {
        const callers = await abuse.list({ limit: c.req.valid('query').limit });
        return c.json({ items: callers.map(toBody) });
      },
    )
    .delete(
      '/:id',
      operation({
        id: 'unblockCaller',
        summary: 'Let a caller in again, and forget its score',
        description: 'In every process within a second. It stands in the audit log.',
        tags,
        responses: { 204: { description: 'Nothing is held against the caller' } },
        failures: [LimiterUnavailable],
      }),
      confirmed,
      validated('param', CallerId),
      async (c) => {
        const caller = Buffer.from(c.req.valid('param').id, 'base64url').toString();
        const entry: CallerUnblocked = {
          type: 'abuse.caller_unblocked',
          actor: actorOf(c.get('principal')),
          requestId: originOf(c).requestId ?? null,
          personal: { caller },
        };
        // Nobody is let in without an entry, and none says so of what failed.
        await transact(db, async (trx) => {
          await audit(entry, { within: trx });
          await abuse.unblock(caller);
        });
        return c.body(null, 204);
      },
    );
}
