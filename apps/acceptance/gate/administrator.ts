import type { SmtpSink } from '@svc/mail/testing';
import { generateSync } from 'otplib';

const email = 'admin@projects.test';

/**
 * Opens a session of the seeded administrator with a second factor, once: scenarios that need an administrator share
 * it, whichever runs first.
 */
export function createAdministrator(url: string, mail: SmtpSink): () => Promise<{ token: string }> {
  const post = async (path: string, json: object, token?: string) => {
    const answer = await fetch(`${url}${path}`, {
      method: 'POST',
      body: JSON.stringify(json),
      headers: {
        'content-type': 'application/json',
        ...(token !== undefined && { authorization: `Bearer ${token}` }),
      },
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path} answered ${answer.status}: ${text}`);
    return (text === '' ? {} : JSON.parse(text)) as { token: string; secret: string };
  };
  const open = async () => {
    await post('/auth/password/forgot', { email });
    const { text } = await mail.next({ to: email, timeoutMs: 10_000 });
    const password = `a passphrase of the gate ${crypto.randomUUID()}`;
    const token = /\?token=([\w-]+)/.exec(text)?.[1];
    await post('/auth/password/reset', { token, password });
    const first = await post('/auth/login', { email, password, transport: 'bearer' });
    const { secret } = await post('/auth/mfa/totp', {}, first.token);
    // The code of a step ago, so that nobody has to wait for the next; anew where the step ended just now.
    const confirm = () => {
      const code = generateSync({ secret, epoch: Math.floor(Date.now() / 1000) - 30 });
      return post('/auth/mfa/totp/confirm', { code }, first.token);
    };
    const raised = await confirm().catch(confirm);
    return { token: raised.token };
  };
  let opened: Promise<{ token: string }> | undefined;
  return () => (opened ??= open());
}
