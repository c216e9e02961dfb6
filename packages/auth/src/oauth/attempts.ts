import { constantTimeEqual, randomToken, sha256 } from '@svc/core';
import type { Db } from '@svc/db';
import type { AuthContext } from '../context.ts';
import { OAuthFailed } from './failures.ts';
import type { FlowSecrets } from './provider-client.ts';

/** A sign-in that was sent to a provider. */
export interface Attempt {
  readonly secrets: FlowSecrets;
  readonly returnTo: string;
  /** Who wanted to link the provider to their account, and in which session; `null` for a sign-in. */
  readonly link: Link | null;
  /** In which it began; `null` where identities are global. */
  readonly tenantId: string | null;
}

export interface Link {
  readonly userId: string;
  readonly sessionId: string;
}

interface StoredAttempt {
  readonly provider: string;
  /** SHA-256 of the browser's token. */
  readonly browser: string;
  /** Verifier and nonce. */
  readonly sealed: string;
  readonly returnTo: string;
  readonly sessionId: string | null;
}

/** Keeps what the second half needs. The state and the browser's token are handed out here and stored nowhere. */
export async function openAttempt(
  context: AuthContext,
  db: Db,
  attempt: Pick<Attempt, 'returnTo' | 'link' | 'tenantId'> & { provider: string },
): Promise<{ secrets: FlowSecrets; browserToken: string }> {
  const { provider, returnTo, link, tenantId } = attempt;
  const { random, challenges } = context;
  const [browserToken, verifier, nonce] = [32, 32, 32].map((size) => randomToken(size, random)) as [
    string,
    string,
    string,
  ];
  const browser = hashOf(browserToken);
  const sealed = context.cipher().seal(JSON.stringify({ verifier, nonce }), sealContext(browser));
  const data: StoredAttempt = {
    provider,
    browser,
    sealed,
    returnTo,
    sessionId: link?.sessionId ?? null,
  };
  const userId = link?.userId ?? null;
  const { token: state } = await challenges.create(db, {
    purpose: 'oauth',
    userId,
    tenantId,
    data: { ...data },
  });
  return { secrets: { state, verifier, nonce }, browserToken };
}

/**
 * Uses the state up, whatever else is wrong with the request: what was shown once, to whomever, works no more. The
 * provider is that of the callback's path (mix-up, RFC 9700 4.4.2.2). @throws {OAuthFailed}
 */
export async function takeAttempt(
  context: AuthContext,
  db: Db,
  request: {
    provider: string;
    state: string | null;
    browserToken: string | undefined;
    tenantId: string | null;
  },
): Promise<Attempt> {
  const { provider, state, browserToken, tenantId } = request;
  const row =
    state === null
      ? null
      : await context.challenges.consume(db, { purpose: 'oauth', token: state, tenantId });
  if (state === null || row === null) throw new OAuthFailed();
  const data = row.data as unknown as StoredAttempt;
  const isSameBrowser =
    browserToken !== undefined && constantTimeEqual(hashOf(browserToken), data.browser);
  if (!isSameBrowser || data.provider !== provider) throw new OAuthFailed();
  const opened = context.cipher().open(data.sealed, sealContext(data.browser));
  const { verifier, nonce } = JSON.parse(opened) as { verifier: string; nonce: string };
  const { sessionId, returnTo } = data;
  const isLink = row.user_id !== null && sessionId !== null;
  return {
    secrets: { state, verifier, nonce },
    returnTo,
    link: isLink ? { userId: row.user_id as string, sessionId } : null,
    tenantId,
  };
}

const hashOf = (token: string) => Buffer.from(sha256(token)).toString('hex');
const sealContext = (browser: string) => `svc_auth.challenges oauth ${browser}`;
