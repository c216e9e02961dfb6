import { defineLimit, type Limit, type RateLimit } from '@svc/ratelimit';
import { byAddress, byTenant, byUser, rateLimit } from '@svc/ratelimit/hono';
import type { TenantEnv } from '@svc/tenancy/hono';
import type { Context } from 'hono';
import { routePath } from 'hono/route';
import type { Plan } from './plans/plans.ts';
import type { AppSettings } from './settings.ts';
import { mailboxIn } from './mailbox.ts';

/** Where somebody shows who they are, by something that can be guessed. */
export const signInPaths = ['/auth/login', '/auth/mfa/challenge', '/auth/passkeys/login'];

/** Where a stranger, or a member, has a mail sent to an address that they name. */
export const mailPaths = [
  '/auth/register',
  '/auth/verify/resend',
  '/auth/password/forgot',
  '/auth/email/change',
];

/** The same, by members of a tenant. */
export const invitationPath = '/tenants/:id/invitations';

/** How often one client address may come; the address is what trusted proxies say. */
export function addressLimit(limits: RateLimit, settings: AppSettings) {
  const limit = defineLimit({
    name: 'address',
    algorithm: 'sliding_window',
    quota: settings.rateLimitQuota,
    window: settings.rateLimitWindow,
  });
  return rateLimit(limits, { limits: [{ limit, key: byAddress() }] });
}

/** How often one client address may try to sign in; guesses at one account are what lockout is for. */
export function signInLimit(limits: RateLimit, settings: AppSettings) {
  const limit = defineLimit({
    name: 'sign_in',
    algorithm: 'sliding_window',
    quota: settings.rateLimitSignInQuota,
    window: settings.rateLimitSignInWindow,
  });
  return rateLimit(limits, { limits: [{ limit, key: byAddress() }] });
}

/** How many mails one client address may cause, and how many of a kind one mailbox may be asked to be sent. */
export function mailLimit(limits: RateLimit, settings: AppSettings) {
  const ofAddress = defineLimit({
    name: 'mail_address',
    algorithm: 'sliding_window',
    quota: settings.rateLimitMailAddressQuota,
    window: settings.rateLimitMailWindow,
  });
  const ofMailbox = defineLimit({
    name: 'mail_recipient',
    algorithm: 'sliding_window',
    quota: settings.rateLimitMailRecipientQuota,
    window: settings.rateLimitMailWindow,
  });
  return rateLimit(limits, {
    limits: async (c) => {
      const mailbox = await mailboxIn(c);
      // By route, too: who uses up one kind by requests that send nothing, such as a bad password, keeps no other away.
      const key = mailbox === undefined ? undefined : [routePath(c), mailbox];
      return [
        { limit: ofAddress, key: byAddress() },
        // Counted whether or not anybody has the mailbox. Not told, or a stranger would see that its owner asks.
        { limit: ofMailbox, key: () => key, whenMissing: 'skip', told: false },
      ];
    },
  });
}

/**
 * How often a tenant may come, by its plan, and how often one person may create something in tenants: one check, which
 * counts for both or for neither. Stands where person and tenant are known.
 */
export function tenantLimit(
  limits: RateLimit,
  settings: AppSettings,
  planOf: (tenantId: string) => Promise<Plan>,
) {
  const ofPlan = (quota: number) =>
    defineLimit({
      name: 'tenant',
      algorithm: 'sliding_window',
      quota,
      window: settings.rateLimitPlanWindow,
    });
  // Of one name: a tenant that changes its plan has used what it has used.
  const byPlan: Record<Plan, Limit> = {
    free: ofPlan(settings.rateLimitFreePlanQuota),
    pro: ofPlan(settings.rateLimitProPlanQuota),
  };
  const creation = defineLimit({
    name: 'create',
    algorithm: 'sliding_window',
    quota: settings.rateLimitCreateQuota,
    window: settings.rateLimitCreateWindow,
  });
  const tenantOf = (c: Context<TenantEnv>) => c.get('tenant').id;
  const every = {
    limit: async (c: Context<TenantEnv>) => byPlan[await planOf(tenantOf(c))],
    key: byTenant(tenantOf),
  };
  return rateLimit(limits, {
    limits: (c) =>
      c.req.method === 'POST' ? [every, { limit: creation, key: byUser() }] : [every],
  });
}

/** How many tenants one person may make: each has a plan, and so quotas, of its own. */
export function tenantCreationLimit(limits: RateLimit, settings: AppSettings) {
  const limit = defineLimit({
    name: 'tenants',
    algorithm: 'sliding_window',
    quota: settings.rateLimitTenantsQuota,
    window: settings.rateLimitTenantsWindow,
  });
  return rateLimit(limits, { limits: [{ limit, key: byUser() }] });
}
