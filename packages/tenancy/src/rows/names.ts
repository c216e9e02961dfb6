/** What a column is called that a JSON key stands for: `createdAt` is `created_at`. */
export function toColumn(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** @throws {TypeError} on a key that is no plain name. */
export function assertKey(key: string): void {
  if (!/^[a-z][A-Za-z0-9]{0,62}$/.test(key))
    throw new TypeError(`a key is one word in camelCase; '${key}' is none`);
}

/** The columns of an input; what is absent in it is left out. */
export function toColumns(input: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(input).flatMap(([key, value]) =>
      value === undefined ? [] : [[toColumn(key), value]],
    ),
  );
}
