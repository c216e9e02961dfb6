import { setTimeout as delay } from 'node:timers/promises';
import { generateSync } from 'otplib';
import { expectJson, request } from './client.ts';

/** The code that an authenticator app shows for a secret, `steps` of 30 s from now. */
export function codeOf(secret: string, steps = 0): string {
  return generateSync({ secret, epoch: Math.floor(Date.now() / 1000) + steps * 30 });
}

export interface Enrolled {
  readonly secret: string;
  readonly recoveryCodes: string[];
  /** Of the session that enrolled, which is of level 2 now. */
  readonly token: string;
  /** The code that confirmed, used up. */
  readonly usedCode: string;
}

/** Adds an authenticator app to the account of a session. */
export async function enrolTotp(as: string): Promise<Enrolled> {
  const { secret } = await expectJson<{ secret: string }>(
    request('/auth/mfa/totp', { method: 'POST', as }),
  );
  // The code of the step before: at the end of this one it would be too old on arrival.
  const leftMs = 30_000 - (Date.now() % 30_000);
  if (leftMs < 3000) await delay(leftMs);
  const usedCode = codeOf(secret, -1);
  const { recoveryCodes, token } = await expectJson<{ recoveryCodes: string[]; token: string }>(
    request('/auth/mfa/totp/confirm', { as, json: { code: usedCode } }),
  );
  return { secret, recoveryCodes, token, usedCode };
}
