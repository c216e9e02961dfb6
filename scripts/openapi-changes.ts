// Fails when the app's document (docs/openapi/projects.json, kept true by A9-01) breaks clients of the last released one.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { breakingChanges } from '../apps/acceptance/contract/breaking-changes.ts';
import type { OpenApiDocument } from '../packages/http/src/openapi.ts';
import { root } from './run-tool.ts';

const folder = join(root, 'docs/openapi');
const read = (file: string) =>
  JSON.parse(readFileSync(join(folder, file), 'utf8')) as OpenApiDocument;
const released = readdirSync(join(folder, 'released'))
  .filter((file) => file.endsWith('.json'))
  .toSorted((one, other) => one.localeCompare(other, 'en', { numeric: true }))
  .at(-1);
if (released === undefined) throw new Error('docs/openapi/released has no document');
const changes = breakingChanges(read(join('released', released)), read('projects.json'));
for (const change of changes) console.error(change);
if (changes.length > 0) {
  console.error(`Clients of ${released} would break. Keep what they use, or add a version.`);
  process.exitCode = 1;
}
