import {
  type Clock,
  type Duration,
  type Logger,
  type NewId,
  randomBytes,
  type RandomBytes,
  silentLogger,
  systemClock,
  toMs,
  uuidv7,
} from '@svc/core';
import { afterCommit, type Db, type Trx } from '@svc/db';
import type { AppendAudit } from './acts.ts';
import type { MayInvite, OnDeletionRequested, OnMemberRemoved, TenancyContext } from './context.ts';
import { removeFromAll } from './departure.ts';
import { createInvitations, type Invitations } from './invitations.ts';
import {
  deliverMail,
  type QueueTenancyMail,
  type SendTenancyMail,
  type TenancyMailRequest,
} from './mails.ts';
import { createMembers, type Members } from './members.ts';
import { type Membership, membershipKept, membershipOf } from './memberships.ts';
import { createPurge, type FindOver, type PurgedSelections } from './purge.ts';
import { createResolution, type Resolution } from './resolution.ts';
import { createRoleLadder, type DefaultRole, defaultRoles, type RoleLadder } from './roles.ts';
import { createTenants, type Tenants } from './tenants.ts';

/** Tenants, and who belongs to them. What a method does for a user it checks itself; what it does for staff its caller has checked. */
export interface Tenancy<Role extends string = string> extends Resolution<Role> {
  readonly appName: string;
  readonly ladder: RoleLadder<Role>;
  readonly tenants: Tenants<Role>;
  readonly members: Members<Role>;
  readonly invitations: Invitations<Role>;
  /** At this moment: one statement, by the key. With `within` it is not ended before that transaction is. */
  membershipOf(
    tenantId: string,
    userId: string,
    options?: { within?: Trx | undefined },
  ): Promise<Membership<Role> | null>;
  /** Sends a mail that was queued, with a new link: for the job of `queueMail`. Sends nothing where the invitation is over. Again is harmless: the newest link works. @throws {Error} where it could not be sent */
  deliverMail(request: TenancyMailRequest): Promise<void>;
  /** Deletes what is over: selections of sessions older than sessions live, and those that `findOver` tells; ended invitations. */
  purge(): Promise<PurgedSelections>;
  /** For the package's own parts behind subpaths. @internal */
  readonly '~context': TenancyContext;
}

export interface TenancyOptions<Role extends string = DefaultRole> {
  db: Db;
  /** Sends one mail; called by `deliverMail`. */
  sendMail: SendTenancyMail;
  /** Queues which mail to whom, in the transaction of its invitation: `enqueue` of a queue whose job calls `deliverMail`. @default sent from memory after the commit, once */
  queueMail?: QueueTenancyMail;
  /** Where people reach the app (`https://app.example.com`); every link starts with it. */
  publicUrl: string;
  /** What the app is called in mails and on pages. */
  appName: string;
  /** Appends to the audit log in the transaction of every act; `append` of `@svc/audit` fits. @default nothing is audited */
  audit?: AppendAudit;
  /** From the least to the most. The last is `owner`; from `admin` on they administer members. @default member, admin, owner */
  roles?: readonly Role[];
  /** How long an invitation works, how many of a tenant may be open, and whether who sent one may still: one of somebody who was disabled admits nobody while they are. @default 7d, 100, and who is still a member may */
  invitations?: { ttl?: Duration; maxOpen?: number; mayInvite?: MayInvite };
  /** How long the selection of a session is kept at most: as long as sessions live. @default 90d */
  selectionTtl?: Duration;
  /** Which of these sessions or API keys never work again: what they had selected is purged. Of `@svc/auth`: `auth.findOver`. @default not asked; what a key has selected is kept */
  findOver?: FindOver;
  /** Where links lead, under `publicUrl`. @default /invitations/accept */
  paths?: { acceptInvitation?: string };
  /** How long a tenant that was removed can be brought back; it is frozen from the first moment. @default 0s */
  deletionGrace?: Duration;
  /** Ends what a member had in the tenant beside the membership, such as API keys, in the transaction that ends it. @default nothing */
  onMemberRemoved?: OnMemberRemoved;
  /** Has a tenant deleted, in the transaction that freezes it. @default it stays frozen */
  onDeletionRequested?: OnDeletionRequested;
  /** @default systemClock */
  clock?: Clock;
  /** @default uuidv7 */
  newId?: NewId;
  /** @default randomBytes */
  random?: RandomBytes;
  /** @default silentLogger */
  logger?: Logger;
  /** What events call this instance. @default 'tenancy' */
  name?: string;
}

/** @throws {TypeError} when an option is not usable. */
export function createTenancy<const Role extends string = DefaultRole>({
  db,
  sendMail,
  queueMail,
  publicUrl,
  appName,
  audit,
  roles = defaultRoles as readonly string[] as readonly Role[],
  invitations: { ttl = '7d', maxOpen = 100, mayInvite } = {},
  selectionTtl = '90d',
  findOver,
  paths: { acceptInvitation: path = '/invitations/accept' } = {},
  deletionGrace = '0s',
  onMemberRemoved,
  onDeletionRequested,
  clock = systemClock,
  newId = uuidv7,
  random = randomBytes,
  logger = silentLogger,
  name = 'tenancy',
}: TenancyOptions<Role>): Tenancy<Role> {
  const ladder = createRoleLadder(roles);
  const invitationTtlMs = toMs(ttl);
  if (invitationTtlMs <= 0) throw new TypeError('invitations.ttl must be more than nothing');
  if (!Number.isSafeInteger(maxOpen) || maxOpen < 1)
    throw new TypeError('invitations.maxOpen must be a whole number, 1 or more');
  const mails = { sendMail, publicUrl: parsePublicUrl(publicUrl), appName, path };
  const deliver = (request: TenancyMailRequest) =>
    deliverMail({ db, clock, random }, mails, request);
  const context: TenancyContext = {
    name,
    db,
    ladder,
    invitationTtlMs,
    maxOpenInvitations: maxOpen,
    mayInvite,
    queueMail: queueMail ?? memoryQueue(deliver, logger),
    audit,
    deletionGraceMs: toMs(deletionGrace),
    onMemberRemoved,
    onDeletionRequested,
    clock,
    newId,
    random,
  };
  const tenancy: Tenancy = {
    appName,
    ladder,
    tenants: createTenants(context),
    members: {
      ...createMembers(context),
      removeFromAll: (userId, actor, actOptions = {}) =>
        removeFromAll(context, userId, actor, actOptions),
    },
    invitations: createInvitations(context),
    membershipOf: (tenantId, userId, { within } = {}) =>
      within === undefined
        ? membershipOf(db, tenantId, userId)
        : membershipKept(within, tenantId, userId),
    ...createResolution(context),
    deliverMail: deliver,
    purge: createPurge({ db, clock, selectionTtlMs: toMs(selectionTtl), findOver }),
    '~context': context,
  };
  // Roles come from the database, where only names of the ladder are written.
  return tenancy as unknown as Tenancy<Role>;
}

// The invitation stands, and can be made anew.
function memoryQueue(
  deliver: (request: TenancyMailRequest) => Promise<void>,
  logger: Logger,
): QueueTenancyMail {
  return async (request, { within }) =>
    afterCommit(within, async () => {
      try {
        await deliver(request);
      } catch (error) {
        const { name, message } = error instanceof Error ? error : new Error(String(error));
        const { template } = request;
        logger.error({ template, error: { name, message } }, 'a mail could not be sent');
      }
    });
}

function parsePublicUrl(publicUrl: string): URL {
  const url = URL.canParse(publicUrl) ? new URL(publicUrl) : undefined;
  if (
    url === undefined ||
    !/^https?:$/.test(url.protocol) ||
    url.search !== '' ||
    url.hash !== '' ||
    url.username !== ''
  )
    throw new TypeError('publicUrl must be an http(s) URL without user, query and fragment');
  return url;
}
