import type { Migrations } from '@svc/db';

export const projectMigrations: Migrations = {
  schema: 'app',
  steps: [
    {
      name: '001_projects',
      up: [
        `create table app.projects (
          id uuid primary key,
          owner_id uuid not null,
          name text not null,
          description text,
          version integer not null default 1,
          created_at timestamptz not null,
          updated_at timestamptz not null
        )`,
        // The order of the list: newest first, ids break ties (and are UUIDv7, so they agree with it).
        `create index projects_of_owner on app.projects (owner_id, id desc)`,
      ],
      down: [`drop table app.projects`],
    },
  ],
};
