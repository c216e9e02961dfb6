import { type Audit, type AuditEvent, createAudit, createSigningKey } from '@svc/audit';
import { auditMigrations } from '@svc/audit/migrations';
import { connect, type Db, migrate, type Migrations } from '@svc/db';
import type { DatabaseUrls } from '../sessions/svc-sessions.ts';

/** What an app does when it has something to account for. */
const workMigrations: Migrations = {
  schema: 'bench',
  steps: [
    {
      name: '0001_work',
      up: ['create table bench.work (id bigint generated always as identity, title text not null)'],
      down: ['drop table bench.work'],
    },
  ],
};

/** A log on a pool of the app's role. */
export async function openLog({ url, ownerUrl }: DatabaseUrls): Promise<{
  db: Db;
  audit: Audit;
  close(): Promise<void>;
}> {
  const owner = await connect(ownerUrl, { poolSize: 1 });
  const appRole = new URL(url).username;
  await migrate(owner.db, [auditMigrations, workMigrations], { appRole });
  await owner.close();
  const { db, close } = await connect(url, { poolSize: logPoolSize });
  const { privateKey } = createSigningKey({ name: 'bench.example.com' });
  return { db, close, audit: createAudit({ db, signing: { privateKey } }) };
}

export const logPoolSize = 32;

const uuid = (number: number) => `0199b000-0000-7000-8000-${String(number).padStart(12, '0')}`;

export const tenants = 20;
export const tenantOf = (number: number): string => uuid(number % tenants);

/** An event as an app tells it. */
export function plainEvent(number: number): AuditEvent {
  return {
    type: 'projects.renamed',
    actor: { type: 'user', id: uuid(number % 1000) },
    target: { type: 'project', id: uuid(number) },
    tenantId: tenantOf(number),
    requestId: uuid(number),
    details: { from: 'Apollo', to: 'Artemis', version: number % 100 },
  };
}

/** The same, with from where and by which browser. */
export function personalEvent(number: number): AuditEvent {
  const personal = { address: '192.0.2.17', device: 'Firefox on Linux' };
  return { ...plainEvent(number), personal };
}
