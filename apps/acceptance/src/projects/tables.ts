/** A row of `app.projects`. */
export interface ProjectRow {
  id: string;
  owner_id: string;
  name: string;
  description: string | null;
  version: number;
  created_at: Date;
  updated_at: Date;
}

export interface ProjectTables {
  'app.projects': ProjectRow;
}
