import type { Generated, GeneratedAlways, Selectable } from 'kysely';

interface ProjectTable {
  /** Set by the scope of the transaction, and by nobody else. */
  tenant_id: GeneratedAlways<string>;
  id: string;
  created_by: string;
  name: string;
  description: string | null;
  version: number;
  created_at: Date;
  updated_at: Date;
}

/** A row of `app.projects`. */
export type ProjectRow = Selectable<ProjectTable>;

interface ExportTable {
  /** As in `ProjectTable`. */
  tenant_id: GeneratedAlways<string>;
  id: string;
  /** The job that writes it. */
  job_id: string;
  requested_by: string;
  created_at: Date;
  finished_at: Generated<Date | null>;
  expires_at: Generated<Date | null>;
  project_count: Generated<number | null>;
  /** A project as JSON in each line. */
  content: Generated<string | null>;
}

/** A row of `app.project_exports`. */
export type ExportRow = Selectable<ExportTable>;

export interface ProjectTables {
  'app.projects': ProjectTable;
  'app.project_exports': ExportTable;
}
