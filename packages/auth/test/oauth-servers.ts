import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';

/** What an issuer says about somebody. */
export interface Person {
  sub: string;
  email?: string;
  email_verified?: boolean;
  name?: string;
}

export interface Issuer extends AsyncDisposable {
  readonly issuer: string;
  /** Who sits before the browser at the issuer; `null` says no. */
  person: Person | null;
  /** Requests by path. */
  readonly requests: string[];
}

export const clientId = 'projects';
export const clientSecret = 'the secret that the issuer and the app share';
export const publicUrl = 'http://localhost:3000';

/** `oidc-provider`, a certified server, on a port of its own. `inIdToken` puts the claims there, else they are at userinfo. */
export async function startIssuer(
  options: { inIdToken?: boolean; providerIds?: readonly string[] } = {},
): Promise<Issuer> {
  const { inIdToken = false, providerIds = ['corp'] } = options;
  const { server, url: issuer } = await listen();
  const requests: string[] = [];
  const state: { person: Person | null } = { person: null };
  const people = new Map<string, Person>();
  const provider = new Provider(issuer, {
    clients: [
      {
        client_id: clientId,
        client_secret: clientSecret,
        redirect_uris: providerIds.map((id) => `${publicUrl}/auth/oauth/${id}/callback`),
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
    conformIdTokenClaims: !inIdToken,
    cookies: { keys: ['a key of tests'] },
    pkce: { required: () => true },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, sub) => ({
      accountId: sub,
      claims: async () => ({ ...(people.get(sub) as Person) }),
    }),
    issueRefreshToken: async () => true,
    async loadExistingGrant(ctx) {
      const { client, session } = ctx.oidc;
      const grant = new ctx.oidc.provider.Grant({
        clientId: client?.clientId as string,
        accountId: session?.accountId as string,
      });
      grant.addOIDCScope('openid email profile');
      await grant.save();
      return grant;
    },
  });
  const handle = provider.callback();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    requests.push(new URL(request.url ?? '/', issuer).pathname);
    if (request.url?.startsWith('/interaction/') !== true) return void handle(request, response);
    const { person } = state;
    if (person !== null) people.set(person.sub, person);
    const result =
      person === null
        ? { error: 'access_denied', error_description: 'no' }
        : { login: { accountId: person.sub } };
    void provider.interactionFinished(request, response, result);
  });
  return {
    issuer,
    requests,
    get person() {
      return state.person;
    },
    set person(person) {
      state.person = person;
    },
    [Symbol.asyncDispose]: () => stop(server),
  };
}

/** A server of plain OAuth 2 with the paths of GitHub Enterprise, which checks PKCE, the secret and the redirect. */
export async function startGithub(
  user: { id: number; name?: string },
  emails: readonly { email: string; primary: boolean; verified: boolean }[],
) {
  const { server, url } = await listen();
  const granted = new Map<string, { challenge: string; redirectUri: string }>();
  const json = (response: ServerResponse, body: unknown) =>
    response.setHeader('content-type', 'application/json').end(JSON.stringify(body));
  const authorize = ({ searchParams }: URL, response: ServerResponse) => {
    const code = `code-${granted.size}`;
    const redirectUri = searchParams.get('redirect_uri') as string;
    granted.set(code, { challenge: searchParams.get('code_challenge') as string, redirectUri });
    const back = new URL(redirectUri);
    back.search = new URLSearchParams({ code, state: searchParams.get('state') ?? '' }).toString();
    response.writeHead(302, { location: back.href }).end();
  };
  const token = async (request: IncomingMessage, response: ServerResponse) => {
    const body = new URLSearchParams(await textOf(request));
    const code = granted.get(body.get('code') ?? '');
    granted.delete(body.get('code') ?? '');
    const challenge = createHash('sha256')
      .update(body.get('code_verifier') ?? '')
      .digest('base64url');
    const fits =
      code?.challenge === challenge &&
      code.redirectUri === body.get('redirect_uri') &&
      body.get('client_secret') === clientSecret;
    json(
      response,
      fits
        ? { access_token: 'gho_token', token_type: 'bearer', scope: 'user:email' }
        : { error: 'bad_verification_code' },
    );
  };
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const target = new URL(request.url ?? '/', url);
    if (target.pathname === '/login/oauth/authorize') return authorize(target, response);
    if (target.pathname === '/login/oauth/access_token') return void token(request, response);
    if (request.headers.authorization !== 'Bearer gho_token') return response.writeHead(401).end();
    return json(response, target.pathname === '/api/v3/user/emails' ? emails : user);
  });
  return { url, [Symbol.asyncDispose]: () => stop(server) };
}

/** Follows redirects with a cookie jar until they lead back to the app, as a browser does. */
export async function visit(start: string): Promise<URL> {
  const jar = new Map<string, string>();
  let url = new URL(start);
  for (let hop = 0; hop < 10; hop += 1) {
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const line of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(line) as unknown as [string, string, string];
      jar.set(name, value);
    }
    const location = answer.headers.get('location');
    if (location === null) throw new Error(`the provider stopped with ${answer.status}`);
    url = new URL(location, url);
    if (url.origin === publicUrl) return url;
  }
  throw new Error('the provider redirects for ever');
}

async function listen() {
  const server = createServer();
  // A database that starts in this process may hold it up for longer than a kept connection lives.
  server.maxRequestsPerSocket = 1;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { server, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` };
}

async function textOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

function stop(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
