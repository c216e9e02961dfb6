// One of several processes that migrate at once. Node 22 runs this as it is, and has no `using`.
import { connect, migrate } from '@svc/db';
import { jobsMigrations } from '../../src/migrations.ts';

const connection = await connect(process.argv[2] ?? '', { poolSize: 2 });
const applied = await migrate(connection.db, [jobsMigrations]);
await connection.close();
process.stdout.write(JSON.stringify({ applied: applied.length }));
