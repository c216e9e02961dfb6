import type { MaintenanceStore } from '../maintenance/store.ts';

/** State for one process. */
export function memoryMaintenanceStore(): MaintenanceStore {
  let state: string | undefined;
  return {
    read: async () => state,
    async replace(expected, next) {
      if (state !== expected) return false;
      state = next;
      return true;
    },
  };
}
