import { connect, type Connection, migrate, type Migrations } from '@svc/db';
import { sharedTables, type TenantIsolation, type TenantTables } from '@svc/tenancy';

export interface DatabasePerTenantOptions {
  tables: TenantTables;
  /** The steps of every tenant's database. */
  migrations: readonly Migrations[];
  /** Where the database of a tenant is, as the app and as its owner. Creates it where it is missing. */
  locate: (tenantId: string) => Promise<{ url: string; ownerUrl: string }>;
  appRole: string;
  /** Connections to each database. @default 2 */
  poolSize?: number;
  /** Databases that are kept open; the one that was used least lately is closed. @default 50 */
  openMax?: number;
}

export interface DatabasePerTenant extends TenantIsolation {
  close(): Promise<void>;
}

interface Open {
  readonly connection: Promise<Connection>;
  uses: number;
}

export function databasePerTenant({
  tables,
  migrations,
  locate,
  appRole,
  poolSize = 2,
  openMax = 50,
}: DatabasePerTenantOptions): DatabasePerTenant {
  // In the order of their last use.
  const open = new Map<string, Open>();

  const connectTo = async (tenantId: string) => connect((await locate(tenantId)).url, { poolSize });
  const closeIdle = async () => {
    for (const [tenantId, { connection, uses }] of open) {
      if (open.size <= openMax) return;
      if (uses > 0) continue;
      open.delete(tenantId);
      await (await connection).close();
    }
  };
  const take = (tenantId: string): Open => {
    const entry = open.get(tenantId) ?? { connection: connectTo(tenantId), uses: 0 };
    // One that could not be opened is tried again by the next.
    entry.connection.catch(() => open.get(tenantId) === entry && open.delete(tenantId));
    open.delete(tenantId);
    open.set(tenantId, entry);
    entry.uses += 1;
    return entry;
  };

  return {
    async within(tenantId, fn, options = {}) {
      const id = tenantId.toLowerCase();
      const entry = take(id);
      try {
        const { db } = await entry.connection;
        // Scope and row-level security stay: a connection that was mixed up shows nothing.
        return await sharedTables({ db, tables }).within(id, fn, options);
      } finally {
        entry.uses -= 1;
        await closeIdle();
      }
    },
    async provision(tenantId) {
      const { ownerUrl } = await locate(tenantId.toLowerCase());
      const owner = await connect(ownerUrl, { poolSize: 1 });
      try {
        await migrate(owner.db, migrations, { appRole });
      } finally {
        await owner.close();
      }
    },
    async close() {
      const entries = [...open.values()];
      open.clear();
      await Promise.all(entries.map(async ({ connection }) => (await connection).close()));
    },
  };
}
