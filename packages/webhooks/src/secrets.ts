import type { Trx } from '@svc/db';
import type { WebhooksContext } from './context.ts';
import { TooManySecrets } from './failures.ts';
import { createWebhookSecret, type SignatureScheme, type WebhookSecret } from './signing/secret.ts';
import { type SecretRow, tablesOf } from './tables.ts';

/** Each signs every try, and receivers look at no more signatures than they must. */
const maxValid = 10;

const contextOf = (tenantId: string, id: string) => `webhooks.secret:${tenantId}:${id}`;

/** The secret as it signs. */
export function openSecret(
  { cipher }: WebhooksContext,
  { tenantId, id, sealed }: { tenantId: string; id: string; sealed: string },
): string {
  return cipher.open(sealed, contextOf(tenantId, id));
}

export async function insertSecret(
  { cipher, newId, random, clock }: WebhooksContext,
  trx: Trx,
  of: { tenantId: string; endpointId: string; scheme: SignatureScheme },
): Promise<{ made: WebhookSecret; row: SecretRow }> {
  const made = createWebhookSecret(of.scheme, random);
  const id = newId();
  const row = await tablesOf(trx)
    .insertInto('svc_webhooks.secrets')
    .values({
      tenant_id: of.tenantId,
      id,
      endpoint_id: of.endpointId,
      scheme: of.scheme,
      sealed: cipher.seal(made.secret, contextOf(of.tenantId, id)),
      public_key: of.scheme === 'v1a' ? made.verifier : null,
      created_at: clock.now(),
      expires_at: null,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
  return { made, row };
}

/** Every secret that signs now, the oldest first. */
export function validSecrets(
  { clock }: WebhooksContext,
  trx: Trx | WebhooksContext['db'],
  { tenantId, endpointId }: { tenantId: string; endpointId: string },
): Promise<SecretRow[]> {
  return tablesOf(trx)
    .selectFrom('svc_webhooks.secrets')
    .selectAll()
    .where('tenant_id', '=', tenantId)
    .where('endpoint_id', '=', endpointId)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', clock.now())]))
    .orderBy('id')
    .execute();
}

/** Has all secrets end by then, those earlier that end earlier. The endpoint's row is locked. @throws {TooManySecrets} */
export async function endSecrets(
  context: WebhooksContext,
  trx: Trx,
  of: { tenantId: string; endpointId: string; overlapMs: number },
): Promise<void> {
  const now = context.clock.now();
  const ends = new Date(now.getTime() + of.overlapMs);
  if (of.overlapMs > 0 && (await validSecrets(context, trx, of)).length >= maxValid)
    throw new TooManySecrets();
  await tablesOf(trx)
    .updateTable('svc_webhooks.secrets')
    .set({ expires_at: ends })
    .where('tenant_id', '=', of.tenantId)
    .where('endpoint_id', '=', of.endpointId)
    .where((eb) => eb.or([eb('expires_at', 'is', null), eb('expires_at', '>', ends)]))
    .execute();
}
