import { recordingLogger } from '@svc/core/testing';
import { databaseTest } from '@svc/db/testing';
import { sql } from 'kysely';
import { expect } from 'vitest';
import { logAnchor, splitNotes, verifyAuditLog } from '../src/index.ts';
import { auditMigrations } from '../src/migrations.ts';
import { fill, key, kindsOf, openAudit, someTenant, textOf } from './open-audit.ts';
import { tamper } from './tampered-log.ts';

const test = databaseTest([auditMigrations]);

test('a log that was emptied is found, and by the lines of its anchor also once it goes on', async ({
  db,
  database,
}) => {
  const logger = recordingLogger();
  const { audit } = openAudit(db, { anchor: logAnchor(logger) });
  await audit.start();
  await audit.stop();
  await fill(audit, someTenant(), 3);
  expect((await audit.verify()).problems).toEqual([]);
  await tamper(database, async (trx) => {
    for (const table of ['entries', 'pending', 'personal', 'chains', 'checkpoints'])
      await sql`delete from ${sql.table(`svc_audit.${table}`)}`.execute(trx);
  });
  for (const tenantId of ['every', null] as const) {
    expect(kindsOf(await audit.verify({ tenantId }))).toEqual(['missing']);
    const text = await textOf(audit.export({ format: 'ndjson', tenantId }));
    const options = { publicKeys: [key.publicKey], everyChain: tenantId === 'every' };
    const offline = await verifyAuditLog(
      [text],
      tenantId === null ? { ...options, tenantId } : options,
    );
    expect(kindsOf(offline)).toEqual(['missing']);
  }
  await audit.start();
  await audit.stop();
  expect(await audit.verify()).toMatchObject({ valid: true });
  const file = logger.lines.map(({ fields }) => JSON.stringify(fields)).join('\n');
  const checkpoints = splitNotes(file);
  expect(checkpoints).not.toHaveLength(0);
  expect(kindsOf(await audit.verify({ checkpoints }))).toContain('forked');
});
