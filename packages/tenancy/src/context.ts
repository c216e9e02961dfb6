import type { Clock, NewId, RandomBytes } from '@svc/core';
import type { Db, Trx } from '@svc/db';
import type { AppendAudit } from './acts.ts';
import type { QueueTenancyMail } from './mails.ts';
import type { RoleLadder } from './roles.ts';

/** What the parts of one `createTenancy` work with. */
export interface TenancyContext {
  readonly name: string;
  readonly db: Db;
  readonly ladder: RoleLadder;
  readonly invitationTtlMs: number;
  readonly maxOpenInvitations: number;
  readonly mayInvite: MayInvite | undefined;
  readonly queueMail: QueueTenancyMail;
  readonly audit: AppendAudit | undefined;
  readonly deletionGraceMs: number;
  readonly onMemberRemoved: OnMemberRemoved | undefined;
  readonly onDeletionRequested: OnDeletionRequested | undefined;
  readonly clock: Clock;
  readonly newId: NewId;
  readonly random: RandomBytes;
}

/** Where a request came from. All of it is the client's word but the address and the key. */
export interface Origin {
  /** The client's IP address. */
  readonly address?: string | undefined;
  /** The user agent. */
  readonly device?: string | undefined;
  readonly requestId?: string | undefined;
  /** The key that it was made with; it stands in the audit log instead of its owner. */
  readonly apiKeyId?: string | undefined;
}

export interface WriteOptions {
  /** The caller's transaction, opened by `transact`. @default one of its own */
  within?: Trx | undefined;
  /** Where the request came from: for the audit log. */
  origin?: Origin | undefined;
}

/** For what a member does: whether they may is decided here. */
export interface ActOptions extends WriteOptions {
  /** The user who does it. */
  by: string;
}

/** Called in the transaction that freezes a tenant: to queue its deletion, for `dueAt`. */
export type OnDeletionRequested = (
  tenantId: string,
  options: { within: Trx; dueAt: Date },
) => Promise<unknown>;

/** Whether somebody who has sent an invitation could still do so; asked in the transaction of who accepts it. */
export type MayInvite = (userId: string, options: { within: Trx }) => boolean | Promise<boolean>;

/** Called in the transaction that ends a membership, after it is gone. */
export type OnMemberRemoved = (
  tenantId: string,
  userId: string,
  options: { within: Trx },
) => Promise<unknown>;
