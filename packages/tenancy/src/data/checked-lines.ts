import { createHash } from 'node:crypto';
import type { ExportSource } from './export-files.ts';
import {
  damaged,
  largestManifest,
  manifestFile,
  parseManifest,
  type TenantManifest,
  type TenantManifestTable,
} from './manifest.ts';

const batchBytes = 1_000_000;

/** The manifest. @throws {InvalidExport} */
export async function readManifest(source: ExportSource): Promise<TenantManifest> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of readable(source, manifestFile)) {
    bytes += chunk.length;
    if (bytes > largestManifest) throw damaged('the manifest is too large');
    chunks.push(chunk);
  }
  return parseManifest(Buffer.concat(chunks).toString('utf8'));
}

/**
 * The lines of a file, in batches of about a megabyte. Throws at its end when they are not those that the manifest
 * promises: whoever has written them has not committed yet.
 *
 * @throws {InvalidExport}
 */
export async function* checkedLines(
  source: ExportSource,
  { file, rows, bytes, sha256 }: TenantManifestTable,
): AsyncGenerator<readonly string[]> {
  const hash = createHash('sha256');
  const seen = { rows: 0, bytes: 0 };
  let batch: string[] = [];
  let size = 0;
  let open: Uint8Array[] = [];
  for await (const chunk of readable(source, file)) {
    hash.update(chunk);
    seen.bytes += chunk.length;
    // A file that has no end, or is another, is not read to it.
    if (seen.bytes > bytes) throw damaged(`${file} is not the one that was exported`);
    let from = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, from)) {
      const line = Buffer.concat([...open, chunk.subarray(from, end)]).toString('utf8');
      open = [];
      from = end + 1;
      seen.rows += 1;
      batch.push(line);
      size += line.length;
      if (size < batchBytes) continue;
      yield batch;
      [batch, size] = [[], 0];
    }
    if (from < chunk.length) open.push(chunk.subarray(from));
  }
  const isWhole = open.length === 0 && seen.rows === rows && seen.bytes === bytes;
  if (!isWhole || hash.digest('hex') !== sha256)
    throw damaged(`${file} is not the one that was exported`);
  if (batch.length > 0) yield batch;
}

async function* readable(source: ExportSource, file: string): AsyncGenerator<Uint8Array> {
  try {
    yield* source.read(file);
  } catch (error) {
    if ((error as { code?: unknown } | null)?.code !== 'ENOENT') throw error;
    throw damaged(`${file} is missing`);
  }
}
