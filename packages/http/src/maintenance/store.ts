/** Where the state of maintenance is, for all processes of an app. */
export interface MaintenanceStore {
  /** What was written last, by any process; undefined when nothing was. */
  read(): Promise<string | undefined>;
  /** Replaces it, if it still is `expected`; whether it was. Atomic among all processes. */
  replace(expected: string | undefined, next: string | undefined): Promise<boolean>;
}
