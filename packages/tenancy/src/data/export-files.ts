import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';

/** Where an export goes. */
export interface ExportSink {
  /** Writes one file, taking the chunks as it can: all of them, in order. A file it has is an error. */
  write(file: string, chunks: AsyncIterable<Uint8Array>): Promise<void>;
}

/** Where an export comes from. */
export interface ExportSource {
  /** The content of one file, which is read more than once. */
  read(file: string): AsyncIterable<Uint8Array>;
}

/** A new or empty folder, for this user alone. */
export function exportFolder(path: string): ExportSink {
  let ready: Promise<void> | undefined;
  return {
    async write(file, chunks) {
      await (ready ??= prepare(path));
      const draft = join(path, `${file}.part`);
      await pipeline(chunks, createWriteStream(draft, { flags: 'wx', mode: 0o600, flush: true }));
      await rename(draft, join(path, file));
    },
  };
}

async function prepare(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  if ((await readdir(path)).length > 0)
    throw new TypeError('an export goes into a new or an empty folder');
}

/** A folder that `exportFolder` has filled. */
export const importFolder = (path: string): ExportSource => ({
  read: (file) => createReadStream(join(path, file)) as AsyncIterable<Uint8Array>,
});
