/** A set of origins as browsers send them (RFC 6454). @throws {TypeError} when one is written in any other way. */
export function parseOrigins(origins: readonly string[]): ReadonlySet<string> {
  for (const origin of origins) {
    // `null` is what sandboxed pages of anybody send.
    if (!URL.canParse(origin) || new URL(origin).origin !== origin) {
      throw new TypeError(
        'An origin must look like https://app.example.com, without a path or a final slash.',
      );
    }
  }
  return new Set(origins);
}
