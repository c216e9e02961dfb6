import * as v from 'valibot';
import { serviceChain } from './entry.ts';

const id = v.pipe(v.string(), v.maxLength(200));
const uuid = v.pipe(v.string(), v.uuid(), v.maxLength(36));
const timestamp = v.pipe(v.string(), v.isoTimestamp(), v.maxLength(30));
const moment = v.pipe(
  timestamp,
  v.check((text) => !Number.isNaN(Date.parse(text))),
  v.transform((text) => new Date(text)),
);
const boundedText = v.pipe(v.string(), v.maxLength(2000));
const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/), v.maxLength(64));
const tenant = v.nullable(uuid);
const outcome = v.picklist(['success', 'failure', 'denied']);
const count = v.pipe(v.number(), v.integer(), v.minValue(0));

const askedTenant = v.pipe(
  uuid,
  v.check((text) => text !== serviceChain, 'no tenant has the nil UUID'),
);

const scope = v.pipe(
  v.optional(v.union([askedTenant, v.picklist(['service', 'every'])]), 'every'),
  v.description("A tenant's log, the `service`'s own, or `every` one."),
);

const filter = {
  tenantId: scope,
  type: v.optional(v.pipe(v.string(), v.maxLength(100), v.examples(['auth.session.revoked']))),
  outcome: v.optional(outcome),
  actorId: v.optional(id),
  targetId: v.optional(id),
  from: v.optional(v.pipe(moment, v.description('Happened then or later.'))),
  until: v.optional(v.pipe(moment, v.description('Happened before.'))),
};

const paging = {
  limit: v.optional(
    v.pipe(v.string(), v.regex(/^\d{1,3}$/), v.transform(Number), v.minValue(1), v.maxValue(500)),
    '100',
  ),
  cursor: v.optional(v.pipe(v.string(), v.maxLength(500))),
};

export const SearchQuery = v.strictObject({ ...filter, ...paging });
export const ExportQuery = v.strictObject({
  ...filter,
  format: v.optional(v.picklist(['ndjson', 'csv']), 'ndjson'),
});
export const CheckpointsQuery = v.strictObject({
  tenantId: v.optional(v.union([askedTenant, v.literal('service')]), 'service'),
  ...paging,
});
export const VerifyQuery = v.strictObject({ tenantId: scope });

const detail = v.union([boundedText, v.number(), v.boolean(), v.null()]);

const EntryBody = v.object({
  id: uuid,
  tenantId: tenant,
  seq: count,
  at: timestamp,
  sealedAt: timestamp,
  type: v.pipe(v.string(), v.maxLength(100)),
  outcome,
  actor: v.object({
    type: v.picklist(['user', 'api_key', 'system', 'anonymous']),
    id: v.nullable(id),
    reason: v.nullable(boundedText),
  }),
  target: v.nullable(v.object({ type: id, id })),
  requestId: v.nullable(id),
  details: v.record(id, detail),
  personal: v.pipe(
    v.record(id, v.nullable(boundedText)),
    v.description('`null` where the value is erased.'),
  ),
  hash,
});

const nextCursor = v.nullable(v.pipe(v.string(), v.maxLength(500)));

export const EntryPage = v.object({ items: v.array(EntryBody), nextCursor });

export const CheckpointPage = v.object({
  items: v.array(
    v.object({
      tenantId: tenant,
      size: count,
      root: hash,
      head: hash,
      at: timestamp,
      note: v.pipe(
        v.string(),
        v.maxLength(2000),
        v.description('The signed checkpoint, in the form of C2SP tlog-checkpoint.'),
      ),
    }),
  ),
  nextCursor,
});

export const VerificationBody = v.object({
  valid: v.boolean(),
  signed: v.boolean(),
  entries: count,
  erased: count,
  chains: v.array(
    v.object({
      tenantId: tenant,
      size: count,
      entries: count,
      head: hash,
      root: v.pipe(v.string(), v.maxLength(64)),
      signedBy: v.array(v.pipe(v.string(), v.maxLength(300))),
    }),
  ),
  problems: v.array(
    v.object({
      kind: v.pipe(v.string(), v.maxLength(40)),
      tenantId: tenant,
      seq: v.nullable(v.number()),
      message: boundedText,
    }),
  ),
});
