import { describeDatabases } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { auditMigrations } from '../src/migrations.ts';
import { event, fill, openAudit, someTenant } from './open-audit.ts';

describeDatabases('append-only', [auditMigrations], (test) => {
  test.for([
    ['change an entry', sql`update svc_audit.entries set hash = hash`],
    ['remove an entry', sql`delete from svc_audit.entries`],
    ['empty the table', sql`truncate svc_audit.entries`],
    ['remove the end of a chain', sql`delete from svc_audit.chains`],
    ['remove a checkpoint', sql`delete from svc_audit.checkpoints`],
    ['change a checkpoint', sql`update svc_audit.checkpoints set note = ''`],
    ['change a personal value', sql`update svc_audit.personal set fields = '{}'`],
    ['remove a waiting event', sql`delete from svc_audit.pending`],
    ['erase without a word', sql`delete from svc_audit.personal`],
    ['erase a waiting event without a word', sql`update svc_audit.pending set personal = null`],
    ['change a waiting event', sql`update svc_audit.pending set event = '{}'`],
  ] as const)("the app's role cannot %s", async ([, statement], { db }) => {
    const { audit } = openAudit(db);
    await fill(audit, someTenant(), 1);
    await audit.append(event());
    await expect(statement.execute(db)).rejects.toMatchObject({ code: '42501' });
  });

  test('not even the owner changes or removes an entry by a slip', async ({ db, database }) => {
    const { audit } = openAudit(db);
    await fill(audit, someTenant(), 1);
    for (const statement of [
      sql`update svc_audit.entries set hash = hash`,
      sql`delete from svc_audit.entries`,
      sql`truncate svc_audit.entries`,
      sql`truncate svc_audit.pending`,
      sql`truncate svc_audit.personal`,
    ]) {
      await expect(database.asOwner((trx) => statement.execute(trx))).rejects.toThrow(
        'append-only',
      );
    }
  });
});
