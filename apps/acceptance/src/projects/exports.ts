import {
  type Clock,
  type Duration,
  failure,
  type NewId,
  systemClock,
  toMs,
  uuidv7,
} from '@svc/core';
import type { Db, Trx } from '@svc/db';
import { asSystem, withTenant } from '@svc/tenancy';
import { type AttemptContext, type Job, NonRetryable } from '@svc/jobs';
import { createAccess, type Member, type ProjectAccess } from './permissions.ts';
import { exportRepository } from './export-repository.ts';
import { projectRepository } from './repository.ts';
import type { ExportRow, ProjectRow } from './tables.ts';

export class ExportNotFound extends failure(
  'projects.export_not_found',
  'not_found',
  'There is no such export, or it is over.',
) {}

export class ExportNotReady extends failure(
  'projects.export_not_ready',
  'conflict',
  'The export is not ready.',
) {}

export interface ProjectExport {
  readonly id: string;
  readonly state: 'pending' | 'ready' | 'failed';
  readonly createdAt: Date;
  readonly finishedAt: Date | null;
  /** When it can no longer be read. */
  readonly expiresAt: Date | null;
  readonly projectCount: number | null;
}

/** Which export a job writes. */
export interface ExportToWrite {
  readonly tenantId: string;
  readonly exportId: string;
}

/** What a member can do with the exports of a tenant. */
export interface ExportsOfMember {
  /** Asks for one, in the caller's transaction, where one is given: a job writes it after the commit. */
  request(options?: { within?: Trx | undefined }): Promise<ProjectExport>;
  /** @throws {ExportNotFound} also for another tenant's export */
  get(id: string): Promise<ProjectExport>;
  /** A project as JSON in each line. @throws {ExportNotFound} @throws {ExportNotReady} */
  read(id: string): Promise<string>;
}

export interface ProjectExports {
  forPrincipal(principal: Member['principal'], tenant: Member['tenant']): ExportsOfMember;
  /** The work of the job: the export is ready exactly if the job is done. */
  write(of: ExportToWrite, context: Pick<AttemptContext, 'complete'>): Promise<void>;
  /** Deletes exports that are over, of all tenants; gives how many. */
  purge(): Promise<number>;
}

export interface ProjectExportsOptions {
  /** One that knows the tables of tenants. */
  db: Db;
  /** Queues the job in the transaction of the request. */
  enqueue: (of: ExportToWrite, options: { within: Trx }) => Promise<{ id: string }>;
  /** How the job of an export stands. */
  jobState: (jobId: string) => Promise<Job['state'] | undefined>;
  /** Appends to the audit log. */
  audit: (entry: ProjectAccess) => Promise<void>;
  /** How long an export can be read. @default '7d' */
  keepFor?: Duration;
  /** @default systemClock */
  clock?: Clock;
  /** @default uuidv7 */
  newId?: NewId;
}

const pageSize = 500;

export function createProjectExports({
  db,
  enqueue,
  jobState,
  audit,
  keepFor = '7d',
  clock = systemClock,
  newId = uuidv7,
}: ProjectExportsOptions): ProjectExports {
  const demand = createAccess(audit);
  const keepMs = toMs(keepFor);

  const forMember = (member: Member): ExportsOfMember => {
    const { id: tenantId } = member.tenant;
    const find = (id: string) =>
      withTenant(
        db,
        tenantId,
        async (trx) => {
          demand(trx, member, 'export');
          const row = await exportRepository(trx).find(id, clock.now());
          if (row === undefined) throw new ExportNotFound();
          return row;
        },
        { readOnly: true },
      );
    return {
      request: ({ within = db } = {}) =>
        withTenant(within, tenantId, async (trx) => {
          demand(trx, member, 'export');
          const id = newId();
          const job = await enqueue({ tenantId, exportId: id }, { within: trx });
          const row = await exportRepository(trx).insert({
            id,
            job_id: job.id,
            requested_by: member.principal.userId,
            created_at: clock.now(),
          });
          return toExport(row, 'pending');
        }),
      async get(id) {
        const row = await find(id);
        if (row.finished_at !== null) return toExport(row, 'ready');
        const state = await jobState(row.job_id);
        if (state !== 'dead' && state !== 'cancelled' && state !== undefined)
          return toExport(row, 'pending');
        // It may have become ready between the two looks.
        const now = await find(id);
        return toExport(now, now.finished_at === null ? 'failed' : 'ready');
      },
      async read(id) {
        const { content } = await find(id);
        if (content === null) throw new ExportNotReady();
        return content;
      },
    };
  };

  return {
    forPrincipal: (principal, tenant) => forMember({ principal, tenant }),
    write: ({ tenantId, exportId }, { complete }) =>
      withTenant(db, tenantId, async (trx) => {
        const lines: string[] = [];
        for await (const row of everyRow(projectRepository(trx))) lines.push(toLine(row));
        const finishedAt = clock.now();
        const isWritten = await exportRepository(trx).finish(exportId, {
          content: lines.join(''),
          project_count: lines.length,
          finished_at: finishedAt,
          expires_at: new Date(finishedAt.getTime() + keepMs),
        });
        if (!isWritten) throw new NonRetryable('the export is gone, or was written before');
        await complete({ within: trx });
      }),
    purge: () =>
      asSystem(db, 'purge of exports', (trx) => exportRepository(trx).purge(clock.now(), keepMs), {
        audit: ({ tenantId, actor }) =>
          audit({
            type: 'projects.system_access',
            outcome: 'success',
            tenantId,
            actor,
            details: { action: 'purge exports' },
          }),
      }),
  };
}

async function* everyRow(rows: Pick<ReturnType<typeof projectRepository>, 'list'>) {
  for (let before: string | undefined; ;) {
    const page = await rows.list(pageSize, before);
    yield* page;
    if (page.length < pageSize) return;
    before = page.at(-1)?.id;
  }
}

const toLine = (row: ProjectRow) =>
  `${JSON.stringify({
    id: row.id,
    createdBy: row.created_by,
    name: row.name,
    description: row.description,
    version: row.version,
    createdAt: row.created_at.toISOString(),
    updatedAt: row.updated_at.toISOString(),
  })}\n`;

const toExport = (row: ExportRow, state: ProjectExport['state']): ProjectExport => ({
  id: row.id,
  state,
  createdAt: row.created_at,
  finishedAt: row.finished_at,
  expiresAt: row.expires_at,
  projectCount: row.project_count,
});
