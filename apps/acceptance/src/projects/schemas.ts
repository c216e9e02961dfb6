import * as v from 'valibot';

const Name = v.pipe(v.string(), v.trim(), v.minLength(1), v.maxLength(200));
const Description = v.nullable(v.pipe(v.string(), v.maxLength(10_000)));
const Timestamp = v.pipe(v.string(), v.isoTimestamp());

export const ProjectId = v.strictObject({ id: v.pipe(v.string(), v.uuid()) });

export const CreateProject = v.strictObject({ name: Name, description: v.optional(Description) });

export const ChangeProject = v.strictObject({
  name: v.optional(Name),
  description: v.optional(Description),
  version: v.optional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(2_147_483_647))),
});

export const ListProjects = v.strictObject({
  limit: v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,3}$/), v.transform(Number), v.minValue(1), v.maxValue(100)),
    '50',
  ),
  cursor: v.optional(v.pipe(v.string(), v.maxLength(500))),
});

export const ProjectBody = v.object({
  id: v.pipe(v.string(), v.uuid()),
  tenantId: v.pipe(v.string(), v.uuid()),
  createdBy: v.pipe(v.string(), v.uuid()),
  name: v.string(),
  description: v.nullable(v.string()),
  version: v.pipe(v.number(), v.integer(), v.minValue(1)),
  createdAt: Timestamp,
  updatedAt: Timestamp,
});

export const ExportBody = v.object({
  id: v.pipe(v.string(), v.uuid()),
  state: v.picklist(['pending', 'ready', 'failed']),
  createdAt: Timestamp,
  finishedAt: v.nullable(Timestamp),
  expiresAt: v.nullable(Timestamp),
  projectCount: v.nullable(v.pipe(v.number(), v.integer(), v.minValue(0))),
});

export const ProjectPage = v.object({
  items: v.array(ProjectBody),
  nextCursor: v.nullable(v.string()),
});
