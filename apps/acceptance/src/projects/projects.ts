import {
  type Clock,
  type Cursors,
  failure,
  InvalidCursor,
  isUuid,
  type NewId,
  type Page,
  systemClock,
  toPage,
  uuidv7,
} from '@svc/core';
import type { Principal } from '@svc/auth';
import { type Db, expectUpdated, type Trx } from '@svc/db';
import { type Actor, createAccess, type ProjectAccess } from './permissions.ts';
import { type ProjectChange, projectRepository, type Versions } from './repository.ts';
import type { ProjectRow } from './tables.ts';

export class ProjectNotFound extends failure(
  'projects.not_found',
  'not_found',
  'There is no such project.',
) {}

/** A project as its owner sees it. */
export interface Project {
  readonly id: string;
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

/** What one actor can do with projects. */
export interface ProjectsOfActor {
  /** Newest first. @throws {InvalidCursor} */
  list(options: { limit: number; cursor?: string | undefined }): Promise<Page<Project>>;
  /** @throws {ProjectNotFound} also for another person's project */
  get(id: string): Promise<Project>;
  /** In the caller's transaction, where one is given. */
  create(project: NewProject, options?: { within?: Trx | undefined }): Promise<Project>;
  /** Changes it if it has one of `versions`, or any where they are undefined. @throws {ProjectNotFound} @throws {StaleVersion} */
  change(id: string, versions: Versions, change: ProjectChange): Promise<Project>;
  /** Deletes it if it has one of `versions`, or any where they are undefined. @throws {ProjectNotFound} @throws {StaleVersion} */
  delete(id: string, versions: Versions): Promise<void>;
}

export interface Projects {
  forPrincipal(principal: Principal): ProjectsOfActor;
  /** Sees every project; each use is audited with the reason. */
  forSystem(reason: string): ProjectsOfActor;
}

export interface ProjectsOptions {
  db: Db;
  cursors: Cursors;
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
  audit,
  clock = systemClock,
  newId = uuidv7,
}: ProjectsOptions): Projects {
  const demand = createAccess(audit);
  /** The row, if it exists for the actor and they may do this with it. */
  const allowed = async (actor: Actor, action: 'read' | 'change' | 'delete', id: string) => {
    const row = await projectRepository(db, actor).find(id);
    if (row === undefined) throw new ProjectNotFound();
    await demand(actor, action, { project: { ownerId: row.owner_id } });
    return row;
  };
  const of = (actor: Actor): ProjectsOfActor => ({
    async list({ limit, cursor }) {
      await demand(actor, 'list');
      const beforeId = cursor === undefined ? undefined : decodePosition(cursors, cursor);
      const rows = await projectRepository(db, actor).list(limit + 1, beforeId);
      return toPage(rows.map(toProject), limit, (last) => cursors.encode('projects', [last.id]));
    },

    get: async (id) => toProject(await allowed(actor, 'read', id)),

    async create({ name, description = null }, { within } = {}) {
      await demand(actor, 'create', { within });
      if (!('principal' in actor)) throw new TypeError('only a person can own a project');
      const { userId } = actor.principal;
      const now = clock.now();
      const row = { name, description, version: 1, created_at: now, updated_at: now };
      return toProject(
        await projectRepository(within ?? db, actor).insert({
          ...row,
          id: newId(),
          owner_id: userId,
        }),
      );
    },

    async change(id, versions, change) {
      await allowed(actor, 'change', id);
      const rows = projectRepository(db, actor);
      const row = await rows.update(id, versions, change, clock.now());
      return toProject(await expectUpdated(row, { find: () => rows.find(id), notFound }));
    },

    async delete(id, versions) {
      await allowed(actor, 'delete', id);
      const rows = projectRepository(db, actor);
      const row = await rows.delete(id, versions);
      await expectUpdated(row, { find: () => rows.find(id), notFound });
    },
  });

  return {
    forPrincipal: (principal) => of({ principal }),
    forSystem: (reason) => of({ system: reason }),
  };
}

const notFound = () => new ProjectNotFound();

function decodePosition(cursors: Cursors, cursor: string): string {
  const [id] = cursors.decode('projects', cursor);
  if (typeof id !== 'string' || !isUuid(id)) throw new InvalidCursor();
  return id;
}

const toProject = (row: ProjectRow): Project => ({
  id: row.id,
  name: row.name,
  description: row.description,
  version: row.version,
  createdAt: row.created_at,
  updatedAt: row.updated_at,
});
