/** Who authenticators know us as (WebAuthn Level 3, 4). */
export interface RelyingParty {
  /** A domain; a passkey works below it and nowhere else. */
  readonly id: string;
  readonly name: string;
  /** The pages that may ask for a passkey, compared exactly. */
  readonly origins: readonly string[];
  readonly userVerification: 'required' | 'preferred';
}

/** @throws {TypeError} when an origin is none, or does not belong to the domain. */
export function parseRelyingParty(party: RelyingParty): RelyingParty {
  if (party.id === '' || party.id !== party.id.toLowerCase())
    throw new TypeError('rpId must be a domain in lower case');
  if (party.origins.length === 0) throw new TypeError('origins must name at least one origin');
  for (const origin of party.origins) {
    // What Android apps send in place of an origin.
    if (/^android:apk-key-hash:[\w-]+$/.test(origin)) continue;
    const url = URL.canParse(origin) ? new URL(origin) : undefined;
    if (url === undefined || url.origin !== origin || !/^https?:$/.test(url.protocol))
      throw new TypeError('origins must be origins, such as https://app.example.com');
    if (url.hostname !== party.id && !url.hostname.endsWith(`.${party.id}`))
      throw new TypeError('origins must belong to the domain rpId');
  }
  return party;
}
