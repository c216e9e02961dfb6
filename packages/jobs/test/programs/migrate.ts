// One of several processes that migrate at once.
import { connect, migrate } from '@svc/db';
import { jobsMigrations } from '../../src/migrations.ts';

await using connection = await connect(process.argv[2] ?? '', { poolSize: 2 });
const applied = await migrate(connection.db, [jobsMigrations]);
process.stdout.write(`${JSON.stringify({ applied: applied.length })}\n`);
