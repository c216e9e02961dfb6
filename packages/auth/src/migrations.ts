import type { Migrations } from '@svc/db';
import { users } from './migrations/0001-users.ts';
import { sessions } from './migrations/0002-sessions.ts';
import { oneTimeTokens } from './migrations/0003-one-time-tokens.ts';
import { levels } from './migrations/0004-levels.ts';
import { lockout } from './migrations/0005-lockout.ts';
import { secondFactors } from './migrations/0006-second-factors.ts';
import { apiKeys } from './migrations/0007-api-keys.ts';
import { oauth } from './migrations/0008-oauth.ts';
import { emailChange } from './migrations/0009-email-change.ts';
import { refresh } from './migrations/0010-refresh.ts';
import { signingKeys } from './migrations/0011-signing-keys.ts';
import { waysIn } from './migrations/0012-ways-in.ts';
import { tenants } from './migrations/0013-tenants.ts';
import { mailedTokens } from './migrations/0014-mailed-tokens.ts';

/** The tables of `@svc/auth`, in schema `svc_auth`. */
export const authMigrations: Migrations = {
  schema: 'svc_auth',
  steps: [
    users,
    sessions,
    oneTimeTokens,
    levels,
    lockout,
    secondFactors,
    apiKeys,
    oauth,
    emailChange,
    refresh,
    signingKeys,
    waysIn,
    tenants,
    mailedTokens,
  ],
};
