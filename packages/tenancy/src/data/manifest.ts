import { sha256 } from '@svc/core';
import * as v from 'valibot';
import { InvalidExport } from '../failures.ts';

export const manifestFile = 'manifest.json';
export const largestManifest = 16 * 1024 * 1024;

const hash = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/));
const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const text = v.pipe(v.string(), v.minLength(1), v.maxLength(200));

const ManifestTable = v.strictObject({
  name: text,
  // A file of the export, never a way out of its folder.
  file: v.pipe(v.string(), v.regex(/^[a-z0-9_]{1,63}\.[a-z0-9_]{1,63}\.ndjson$/)),
  tenantColumn: text,
  columns: v.array(v.strictObject({ name: text, type: text })),
  omitted: v.array(text),
  rows: count,
  bytes: count,
  sha256: hash,
});

const Manifest = v.strictObject({
  format: v.literal('svc.tenant-export'),
  version: v.literal(1),
  tenantId: text,
  tenantColumnType: v.picklist(['uuid', 'text', 'bigint', 'integer']),
  snapshotAt: v.pipe(v.string(), v.isoTimestamp()),
  tables: v.array(ManifestTable),
  sha256: hash,
});

/** What an export holds: written last, so that an export without it was broken off. */
export type TenantManifest = v.InferOutput<typeof Manifest>;
export type TenantManifestTable = v.InferOutput<typeof ManifestTable>;

type Unsealed = Omit<TenantManifest, 'sha256'>;

const digest = (manifest: Unsealed) =>
  Buffer.from(sha256(JSON.stringify(manifest))).toString('hex');

export const sealManifest = (manifest: Unsealed): TenantManifest => ({
  ...manifest,
  sha256: digest(manifest),
});

/** @throws {InvalidExport} */
export function parseManifest(json: string): TenantManifest {
  let read: unknown;
  try {
    read = JSON.parse(json);
  } catch {
    throw damaged('the manifest is no JSON');
  }
  const { success, output } = v.safeParse(Manifest, read);
  if (!success) throw damaged('the manifest is not of this format and version');
  const { sha256: stated, ...rest } = output;
  if (digest(rest) !== stated) throw damaged('the manifest was changed');
  return output;
}

/** Never quotes a value of the export. */
export const damaged = (detail: string): InvalidExport =>
  new InvalidExport({ detail }, { cause: new Error(detail) });
