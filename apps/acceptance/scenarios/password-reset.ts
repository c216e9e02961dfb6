import { expect } from 'vitest';
import { request, tokenFromMail } from './client.ts';

/** Chooses a new password by a mailed link, and answers it. */
export async function resetPassword(email: string): Promise<string> {
  const password = `a new passphrase ${crypto.randomUUID()}`;
  await request('/auth/password/forgot', { json: { email } });
  const token = await tokenFromMail(email, '/auth/password/reset');
  const reset = await request('/auth/password/reset', { json: { token, password } });
  expect(reset.status).toBe(204);
  return password;
}
