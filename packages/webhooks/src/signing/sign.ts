import { sign as signWithKey } from 'node:crypto';
import { type Key, parseSigningKey } from './secret.ts';

/** What is signed: the bytes on the wire, under an id and a time. */
export interface SignedMessage {
  /** The same over all tries of a message. Visible ASCII without a full stop. */
  readonly id: string;
  /** When it is sent, in whole seconds since 1970. */
  readonly timestamp: number;
  readonly body: string | Uint8Array;
}

export interface WebhookSigner {
  /** The value of `webhook-signature`: one signature per secret, parted by spaces. */
  sign(message: SignedMessage): string;
}

/** Signs as Standard Webhooks 1.0 says, with every secret given. @throws {TypeError} on a secret of another form. */
export function createWebhookSigner(secrets: readonly string[]): WebhookSigner {
  if (secrets.length === 0) throw new TypeError('there is no secret to sign with');
  const keys = secrets.map(parseSigningKey);
  return {
    sign(message) {
      const content = signedContent(message);
      return keys.map((key) => signatureOf(key, content)).join(' ');
    },
  };
}

/** `id.timestamp.body`. @throws {TypeError} when the id could be read in two ways. */
export function signedContent({ id, timestamp, body }: SignedMessage): string | Uint8Array {
  if (!isMessageId(id)) throw new TypeError('a message id is visible ASCII without a full stop');
  if (!Number.isSafeInteger(timestamp) || timestamp < 0)
    throw new TypeError('a timestamp is a whole number of seconds');
  const head = `${id}.${timestamp}.`;
  if (typeof body === 'string') return head + body;
  return Buffer.concat([Buffer.from(head, 'latin1'), body]);
}

/** With the full stop the id and the timestamp could not be told apart. */
export function isMessageId(id: string): boolean {
  return /^[!-\-/-~]{1,256}$/.test(id);
}

function signatureOf(key: Key, content: string | Uint8Array): string {
  if (key.scheme === 'v1') return `v1,${key.mac(content).toString('base64')}`;
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  return `v1a,${signWithKey(null, bytes, key.key).toString('base64')}`;
}
