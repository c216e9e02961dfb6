// Deletes a tenant in small batches and says what each has come to, until it is killed.
import { connect } from '@svc/db';
import { createTenancy, createTenantDeletion } from '../../src/index.ts';
import { dataTables as tables } from '../data-tables.ts';

const [url, tenantId] = process.argv.slice(2) as [string, string];
const { db } = await connect(url, { poolSize: 2 });
const tell = (line: object) => void process.stdout.write(`${JSON.stringify(line)}\n`);
const tenancy = createTenancy({
  db,
  publicUrl: 'https://app.example.com',
  appName: 'Projects',
  sendMail: async () => {},
});
const deletion = createTenantDeletion({
  tenancy,
  tables,
  batchSize: 100,
  revoke: async () => tell({ table: 'revoked', rows: 0 }),
  onProgress: tell,
});
await deletion.run(tenantId);
tell({ table: 'done', rows: 0 });
process.exit(0);
