import { expect } from 'vitest';
import { expectJson, request, signUp, tokenFromMail } from './client.ts';

export interface Person {
  readonly email: string;
  readonly token: string;
  readonly tenantId: string;
}

/** The id of the person of a session. */
export const idOf = async (as: string) =>
  (await expectJson<{ user: { id: string } }>(request('/auth/me', { as }))).user.id;

/** Somebody, by default a new person, whom a member has invited to their tenant, who joined, and works there. */
export async function join(
  inviter: Omit<Person, 'email'>,
  role: string,
  person?: Omit<Person, 'tenantId'>,
): Promise<Person & { id: string }> {
  const { tenantId } = inviter;
  const { email, token } = person ?? (await signUp());
  const invitation = { as: inviter.token, json: { email, role } };
  await expectJson(request(`/tenants/${tenantId}/invitations`, invitation), 201);
  const mailed = await tokenFromMail(email, '/invitations/accept');
  await expectJson(request('/invitations/accept', { as: token, json: { token: mailed } }));
  const selected = await request(`/tenants/${tenantId}/select`, { method: 'POST', as: token });
  expect(selected.status).toBe(200);
  return { email, token, tenantId, id: await idOf(token) };
}
