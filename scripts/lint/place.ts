/** Where a file stands in the workspace: what the house rules go by. */
export interface Place {
  readonly kind: 'packages' | 'apps';
  /** The folder under `packages/` or `apps/`. */
  readonly owner: string;
  readonly part: 'src' | 'test';
  /** The path below `src/` or `test/`. */
  readonly path: string;
}

const pattern = /(?:^|\/)(packages|apps)\/([^/]+)\/(src|test)\/(.+)$/;

/** The place of a source or test file, or `undefined` for anything else. */
export function placeOf(file: string): Place | undefined {
  const match = pattern.exec(file.replaceAll('\\', '/'));
  if (match === null) return undefined;
  const [, kind, owner, part, path] = match as unknown as [
    string,
    Place['kind'],
    string,
    Place['part'],
    string,
  ];
  return { kind, owner, part, path };
}

/** Whether the file is `name.ts` or stands in a folder `name/` of a `src/`. */
export function isNamed(place: Place, ...names: string[]): boolean {
  return (
    place.part === 'src' &&
    names.some(
      (name) =>
        place.path === `${name}.ts` ||
        place.path.endsWith(`/${name}.ts`) ||
        place.path.startsWith(`${name}/`),
    )
  );
}
