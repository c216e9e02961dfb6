// Exports a tenant to a folder, imports it as another, and says how much memory each took at its height.
import { connect } from '@svc/db';
import { exportFolder, exportTenant, importFolder, importTenant } from '../../src/index.ts';
import { dataTables as tables } from '../data-tables.ts';

const [url, folder, from, tenantId] = process.argv.slice(2) as [string, string, string, string];
const { db, close } = await connect(url, { poolSize: 2 });
const measured = () => {
  globalThis.gc?.();
  const before = process.memoryUsage.rss();
  let most = before;
  return {
    onProgress: () => void (most = Math.max(most, process.memoryUsage.rss())),
    mb: () => Math.round((most - before) / 1e6),
  };
};
const exporting = measured();
const { onProgress } = exporting;
const sink = exportFolder(folder);
const manifest = await exportTenant({ db, tables, tenantId: from, sink, onProgress });
const importing = measured();
const source = importFolder(folder);
await importTenant({ db, tables, source, tenantId, from, onProgress: importing.onProgress });
const bytes = manifest.tables.reduce((sum, table) => sum + table.bytes, 0);
await close();
process.stdout.write(
  `${JSON.stringify({ bytes, exportMb: exporting.mb(), importMb: importing.mb() })}\n`,
);
