import type { MigrationStep } from '@svc/db';
import { isolateByTenant } from '@svc/tenancy';

export const projects: MigrationStep = {
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
};

const isolation = isolateByTenant('app.projects', { system: true });

export const projectsOfTenants: MigrationStep = {
  name: '002_projects_of_tenants',
  breaking: true,
  up: [
    // Until now a project belonged to a person. Nothing is lost: all of a person's go to a tenant of their own, which has
    // the id of the person, and counts them.
    `insert into svc_tenancy.tenants (id, name, created_at, updated_at)
      select owner_id, 'Personal', min(created_at), min(created_at) from app.projects group by owner_id
      on conflict (id) do nothing`,
    `insert into svc_tenancy.memberships (tenant_id, user_id, role, created_at)
      select owner_id, owner_id, 'owner', min(created_at) from app.projects group by owner_id
      on conflict (tenant_id, user_id) do nothing`,
    // Usage is isolated: each tenant writes its own.
    `do $$
    declare one record;
    begin
      for one in select owner_id, count(*) as used from app.projects group by owner_id loop
        perform set_config('app.tenant_id', one.owner_id::text, true);
        insert into svc_tenancy.usage (tenant_id, quota, used) values (one.owner_id, 'projects', one.used)
          on conflict (tenant_id, quota) do update set used = excluded.used;
      end loop;
      perform set_config('app.tenant_id', '', true);
    end $$`,
    `alter table app.projects rename column owner_id to created_by`,
    `alter table app.projects add column tenant_id uuid`,
    `update app.projects set tenant_id = created_by`,
    `alter table app.projects alter column tenant_id set not null`,
    `alter table app.projects drop constraint projects_pkey`,
    // Also the order of a tenant's list, read backwards.
    `alter table app.projects add constraint projects_pkey primary key (tenant_id, id)`,
    `drop index app.projects_of_owner`,
    // The order of the list that support sees.
    `create index projects_newest on app.projects (id desc)`,
    ...isolation.up,
  ],
  // Back to whoever made it; the tenants stay, for nobody.
  down: [
    ...isolation.down,
    `drop index app.projects_newest`,
    `alter table app.projects drop constraint projects_pkey`,
    `alter table app.projects add constraint projects_pkey primary key (id)`,
    `alter table app.projects drop column tenant_id`,
    `alter table app.projects rename column created_by to owner_id`,
    `create index projects_of_owner on app.projects (owner_id, id desc)`,
  ],
};

export const projectExports: MigrationStep = {
  name: '004_project_exports',
  up: [
    `create table app.project_exports (
      tenant_id uuid not null,
      id uuid not null,
      job_id uuid not null,
      requested_by uuid not null,
      created_at timestamptz not null,
      finished_at timestamptz,
      expires_at timestamptz,
      project_count integer,
      content text,
      primary key (tenant_id, id)
    )`,
    ...isolateByTenant('app.project_exports', { system: true }).up,
  ],
  down: [`drop table app.project_exports`],
};
