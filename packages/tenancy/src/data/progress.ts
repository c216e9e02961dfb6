/** How far an export or import is. */
export interface DataProgress {
  /** `schema.name` */
  readonly table: string;
  /** Rows of it so far. */
  readonly rows: number;
}
