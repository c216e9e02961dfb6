import {
  type Clock,
  type Cursors,
  failure,
  type NewId,
  type Page,
  systemClock,
  toPage,
  uuidv7,
} from '@svc/core';
import { type Db, expectUpdated, type TransactOptions, type Trx } from '@svc/db';
import { asSystem, type SystemOptions, type TenantLimits, withTenant } from '@svc/tenancy';
import { positionOf } from '../position.ts';
import {
  createAccess,
  type Member,
  type ProjectAccess,
  type ProjectAction,
} from './permissions.ts';
import { type ProjectChange, projectRepository, type Versions } from './repository.ts';
import type { ProjectRow } from './tables.ts';

export class ProjectNotFound extends failure(
  'projects.not_found',
  'not_found',
  'There is no such project.',
) {}

export interface Project {
  readonly id: string;
  readonly tenantId: string;
  readonly createdBy: string;
  readonly name: string;
  readonly description: string | null;
  /** Grows by one with every change. */
  readonly version: number;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

export interface NewProject {
  readonly name: string;
  readonly description?: string | null | undefined;
}

interface ListOptions {
  readonly limit: number;
  readonly cursor?: string | undefined;
}

/** What a member can do with the projects of a tenant. */
export interface ProjectsOfMember {
  /** Newest first. @throws {InvalidCursor} */
  list(options: ListOptions): Promise<Page<Project>>;
  /** @throws {ProjectNotFound} also for another tenant's project */
  get(id: string): Promise<Project>;
  /** In the caller's transaction, where one is given. @throws {QuotaExceeded} */
  create(project: NewProject, options?: { within?: Trx | undefined }): Promise<Project>;
  /** Changes it if it has one of `versions`, or any where they are undefined. @throws {ProjectNotFound} @throws {StaleVersion} */
  change(id: string, versions: Versions, change: ProjectChange): Promise<Project>;
  /** Deletes it if it has one of `versions`, or any where they are undefined. @throws {ProjectNotFound} @throws {StaleVersion} */
  delete(id: string, versions: Versions): Promise<void>;
}

export interface Projects {
  /** The tenant is one of which the principal is a member, as `requireTenant` has found out. */
  forPrincipal(principal: Member['principal'], tenant: Member['tenant']): ProjectsOfMember;
  /** Sees the projects of every tenant; each use is audited, with who asked and why. */
  forSystem(
    reason: string,
    options: Required<Pick<SystemOptions, 'actor'>>,
  ): Pick<ProjectsOfMember, 'list'>;
}

/** What happened to a project. */
export interface ProjectNews {
  readonly what: 'created' | 'changed' | 'deleted';
  /** As it is now, or was last. */
  readonly project: Project;
}

export type AnnounceProject = (news: ProjectNews, options: { within: Trx }) => Promise<void>;

export interface ProjectsOptions {
  /** One that knows the tables of tenants. */
  db: Db;
  cursors: Cursors;
  /** How many projects a tenant may have. */
  limits: Pick<TenantLimits, 'reserve' | 'release'>;
  /** Tells whoever listens, in the transaction of the write. */
  announce: AnnounceProject;
  /** Appends to the audit log. */
  audit: (entry: ProjectAccess) => Promise<void>;
  /** @default systemClock */
  clock?: Clock;
  /** @default uuidv7 */
  newId?: NewId;
}

export function createProjects({
  db,
  cursors,
  limits,
  announce,
  audit,
  clock = systemClock,
  newId = uuidv7,
}: ProjectsOptions): Projects {
  const demand = createAccess(audit);

  const forMember = (member: Member): ProjectsOfMember => {
    const { principal, tenant } = member;
    type Rows = ReturnType<typeof projectRepository>;
    const inTenant = <T>(
      work: (rows: Rows, trx: Trx) => Promise<T>,
      { within = db, ...options }: TransactOptions & { within?: Db | undefined } = {},
    ) => withTenant(within, tenant.id, (trx) => work(projectRepository(trx), trx), options);
    /** The row, if it exists in the tenant and the member may do this with it. */
    const allowed = async (rows: Rows, trx: Trx, action: ProjectAction, id: string) => {
      const row = await rows.find(id);
      if (row === undefined) throw new ProjectNotFound();
      demand(trx, member, action, toProject(row));
      return row;
    };
    return {
      list: (options) =>
        inTenant(
          (rows, trx) => {
            demand(trx, member, 'list');
            return pageOf(cursors, `projects of ${tenant.id}`, options, rows);
          },
          { readOnly: true },
        ),

      get: (id) =>
        inTenant(async (rows, trx) => toProject(await allowed(rows, trx, 'read', id)), {
          readOnly: true,
        }),

      create: ({ name, description = null }, { within } = {}) =>
        inTenant(
          async (rows, trx) => {
            demand(trx, member, 'create');
            await limits.reserve(trx, tenant.id, 'projects');
            const now = clock.now();
            const row = { name, description, version: 1, created_at: now, updated_at: now };
            const inserted = { ...row, id: newId(), created_by: principal.userId };
            const project = toProject(await rows.insert(inserted));
            await announce({ what: 'created', project }, { within: trx });
            return project;
          },
          { within },
        ),

      change: (id, versions, change) =>
        inTenant(async (rows, trx) => {
          await allowed(rows, trx, 'change', id);
          const row = await rows.update(id, versions, change, clock.now());
          const updated = await expectUpdated(row, { find: () => rows.find(id), notFound });
          const project = toProject(updated);
          await announce({ what: 'changed', project }, { within: trx });
          return project;
        }),

      delete: (id, versions) =>
        inTenant(async (rows, trx) => {
          const project = toProject(await allowed(rows, trx, 'delete', id));
          const row = await rows.delete(id, versions);
          await expectUpdated(row, { find: () => rows.find(id), notFound });
          await limits.release(trx, tenant.id, 'projects');
          await announce({ what: 'deleted', project }, { within: trx });
        }),
    };
  };

  return {
    forPrincipal: (principal, tenant) => forMember({ principal, tenant }),
    forSystem: (reason, { actor: asker }) => ({
      list: (options) =>
        asSystem(
          db,
          reason,
          (trx) => pageOf(cursors, 'projects', options, projectRepository(trx)),
          {
            readOnly: true,
            actor: asker,
            audit: ({ tenantId, actor }) =>
              audit({
                type: 'projects.system_access',
                outcome: 'success',
                tenantId,
                actor,
                details: { action: 'list' },
              }),
          },
        ),
    }),
  };
}

const notFound = () => new ProjectNotFound();

async function pageOf(
  cursors: Cursors,
  list: string,
  { limit, cursor }: ListOptions,
  rows: Pick<ReturnType<typeof projectRepository>, 'list'>,
): Promise<Page<Project>> {
  const beforeId = cursor === undefined ? undefined : positionOf(cursors, list, cursor);
  const found = await rows.list(limit + 1, beforeId);
  return toPage(found.map(toProject), limit, (last) => cursors.encode(list, [last.id]));
}

const toProject = (row: ProjectRow): Project => ({
  id: row.id,
  tenantId: row.tenant_id,
  createdBy: row.created_by,
  name: row.name,
  description: row.description,
  version: row.version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});
