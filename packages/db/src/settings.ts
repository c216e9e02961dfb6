import { setting } from '@svc/core';
import * as v from 'valibot';

/** The variables of a database, to be spread into an app's settings schema. */
export const databaseSettings = {
  DATABASE_URL: setting.url(
    'the database as the app uses it: postgres://…, pglite:DIRECTORY or pglite://memory',
    ['postgres', 'postgresql', 'pglite'],
    { secret: true, requiredInProduction: true },
  ),
  DATABASE_OWNER_URL: v.optional(
    setting.url(
      'the database as the owner of its tables, for migrations: postgres://… or pglite:DIRECTORY; DATABASE_URL where absent',
      ['postgres', 'postgresql', 'pglite'],
      { secret: true },
    ),
  ),
  DATABASE_POOL_SIZE: v.optional(
    setting.integer('connections to PostgreSQL a process may hold', 1, 1000),
    '10',
  ),
};
