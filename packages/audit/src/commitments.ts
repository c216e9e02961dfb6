import { hash } from 'node:crypto';
import { canonicalJson, type RandomBytes, randomToken } from '@svc/core';

/** A personal value and the salt that lets it be checked; without both, its commitment says nothing. */
export interface Disclosure {
  readonly salt: string;
  readonly value: string;
}

/** What stands in the chain for personal values, and what is kept beside it until it is erased. */
export interface CommittedPersonal {
  readonly commitments: Readonly<Record<string, string>>;
  readonly disclosures: Readonly<Record<string, Disclosure>>;
}

// RFC 9901 (SD-JWT), 9.3, asks for 128 bits: guessing an address or an e-mail then means guessing the salt.
const saltBytes = 16;

/** Commits to each value with a salt of its own, so that one can be shown without the others. */
export function commitTo(
  personal: Readonly<Record<string, string>>,
  random: RandomBytes,
): CommittedPersonal {
  const commitments: Record<string, string> = {};
  const disclosures: Record<string, Disclosure> = {};
  for (const [name, value] of Object.entries(personal)) {
    const disclosure = { salt: randomToken(saltBytes, random), value };
    commitments[name] = commitmentOf(name, disclosure);
    disclosures[name] = disclosure;
  }
  return { commitments, disclosures };
}

/** SHA-256 over the canonical JSON of `[salt, name, value]`, the disclosure of SD-JWT (RFC 9901, 4.2.1). */
export function commitmentOf(name: string, { salt, value }: Disclosure): string {
  return hash('sha256', canonicalJson([salt, name, value]), 'hex');
}
