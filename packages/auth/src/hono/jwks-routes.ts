import { operation } from '@svc/http/hono';
import { Hono } from 'hono';
import * as v from 'valibot';
import type { ServiceTokens } from '../tokens/service-tokens.ts';

const contentType = 'application/jwk-set+json';

const JwksBody = v.object({
  keys: v.pipe(
    v.array(
      v.object({
        kty: v.literal('OKP'),
        crv: v.literal('Ed25519'),
        x: v.string(),
        kid: v.string(),
        alg: v.literal('EdDSA'),
        use: v.literal('sig'),
      }),
    ),
    v.maxLength(100),
  ),
});

/** The public keys of service tokens, for whoever checks them: `app.route('/.well-known', jwksRoutes(serviceTokens))`. */
export function jwksRoutes(serviceTokens: Pick<ServiceTokens, 'jwks'>) {
  return new Hono().get(
    '/jwks.json',
    operation({
      id: 'jwks',
      summary: 'The public keys of this service',
      description: 'A JSON Web Key Set (RFC 7517). A new key stands in it long before it signs.',
      tags: ['Tokens'],
      security: 'none',
      responses: { 200: { description: 'The keys.', schema: JwksBody, contentType } },
    }),
    async (c) => {
      const { keys } = await serviceTokens.jwks();
      // Far less than how long a new key is published before it signs.
      c.header('Cache-Control', 'public, max-age=300');
      return c.json({ keys: [...keys] }, 200, { 'Content-Type': contentType });
    },
  );
}
