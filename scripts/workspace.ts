import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { root } from './run-tool.ts';

export interface Manifest {
  readonly name: string;
  readonly version?: string;
  readonly description?: string;
  readonly license?: string;
  readonly private?: boolean;
  readonly type?: string;
  readonly sideEffects?: boolean;
  readonly engines?: Record<string, string>;
  readonly files?: readonly string[];
  readonly exports?: Record<string, Record<string, string>>;
  readonly dependencies?: Record<string, string>;
  readonly devDependencies?: Record<string, string>;
  readonly peerDependencies?: Record<string, string>;
  readonly peerDependenciesMeta?: Record<string, { optional?: boolean }>;
}

/** A folder with a package.json under `packages/` or `apps/`. */
export interface Member {
  /** `packages/core` */
  readonly path: string;
  readonly directory: string;
  readonly manifest: Manifest;
}

/** The members of one part of the workspace, by name. */
export function members(part: 'packages' | 'apps', base = root): Member[] {
  const folder = join(base, part);
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .filter((name) => existsSync(join(folder, name, 'package.json')))
    .map((name) => {
      const directory = join(folder, name);
      const manifest = JSON.parse(
        readFileSync(join(directory, 'package.json'), 'utf8'),
      ) as Manifest;
      return { path: `${part}/${name}`, directory, manifest };
    });
}

/** The versions that `catalog:` stands for. */
export function catalog(base = root): Record<string, string> {
  const text = readFileSync(join(base, 'pnpm-workspace.yaml'), 'utf8');
  return (parse(text) as { catalog?: Record<string, string> }).catalog ?? {};
}

/** All files below a folder, as paths with slashes relative to it; generated and installed ones are left out. */
export function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
    .filter((path) => !/(^|\/)(node_modules|dist|\.turbo|coverage|reports)\//.test(path))
    .sort();
}
