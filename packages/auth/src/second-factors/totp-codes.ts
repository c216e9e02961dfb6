import type { RandomBytes } from '@svc/core';
import { generateURI, ScureBase32Plugin, verifySync } from 'otplib';
import { renderSVG } from 'uqr';

const periodSeconds = 30;
// 160 bits, as long as SHA-1's output (RFC 4226 4, R6).
const secretBytes = 20;

/** A new secret in base32. */
export function createTotpSecret(random: RandomBytes): string {
  return new ScureBase32Plugin().encode(random(secretBytes), { padding: false });
}

/** What an authenticator app scans: the key URI, and a QR code of it. */
export function describeTotp(options: { secret: string; issuer: string; account: string }): {
  uri: string;
  qrSvg: string;
} {
  const { secret, issuer, account } = options;
  // The colon parts the two in the label; an app would show what stands before it.
  const uri = generateURI({
    secret,
    issuer: issuer.replaceAll(':', ' '),
    label: account.replaceAll(':', ' '),
  });
  return { uri, qrSvg: renderSVG(uri, { ecc: 'M', border: 4, pixelSize: 1 }) };
}

export interface TotpCheck {
  now: Date;
  /** The step of the last code that was accepted: this one and what is before it are refused. @default none */
  after?: number | null;
  /** Of RFC 6238, which authenticator apps do not all follow beyond the defaults. @default 6 and sha1 */
  digits?: 6 | 8;
  algorithm?: 'sha1' | 'sha256' | 'sha512';
}

/** The time step that a code belongs to, of this one and its two neighbours (RFC 6238 5.2); `null` when of none. */
export function stepOfCode(
  secret: string,
  code: string,
  { now, after = null, digits = 6, algorithm = 'sha1' }: TotpCheck,
): number | null {
  if (!/^[0-9]+$/.test(code) || code.length !== digits) return null;
  const epoch = Math.floor(now.getTime() / 1000);
  // After the clock was set back; otplib throws.
  if (after !== null && after > Math.floor(epoch / periodSeconds) + 1) return null;
  const result = verifySync({
    secret,
    token: code,
    epoch,
    period: periodSeconds,
    epochTolerance: periodSeconds,
    digits,
    algorithm,
    ...(after !== null && { afterTimeStep: after }),
  });
  return result.valid && 'timeStep' in result ? result.timeStep : null;
}
