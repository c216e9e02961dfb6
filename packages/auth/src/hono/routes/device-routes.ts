import { ValidationFailed } from '@svc/core';
import { operation, validated } from '@svc/http/hono';
import { Hono } from 'hono';
import type { Auth } from '../../auth.ts';
import { DeviceNotFound, Unauthenticated } from '../../failures.ts';
import type { Device } from '../../lockout/own-devices.ts';
import { DevicesBody, EndedBody, IdParam } from '../../schemas.ts';
import { originOf } from '../origin.ts';
import { type AuthEnv, type PagesOptions, requireUser } from '../require-user.ts';

/** The browsers in which somebody has signed in before. */
export function deviceRoutes(auth: Auth, options: PagesOptions) {
  const tags = ['Devices'];
  const user = requireUser(auth, options);

  return new Hono<AuthEnv>()
    .get(
      '/devices',
      operation({
        id: 'listDevices',
        summary: 'List the browsers that know you',
        tags,
        responses: { 200: { description: 'The last one used first.', schema: DevicesBody } },
        failures: [Unauthenticated],
      }),
      user,
      async (c) =>
        c.json({ items: (await auth.devices.list(c.get('principal'))).map(toDeviceBody) }, 200),
    )
    .delete(
      '/devices',
      operation({
        id: 'forgetDevices',
        summary: 'Forget all browsers',
        description: 'Ends no session; each sign-in from here on asks for the second factor.',
        tags,
        responses: { 200: { description: 'How many were forgotten.', schema: EndedBody } },
        failures: [Unauthenticated],
      }),
      user,
      async (c) => {
        const ended = await auth.devices.forgetAll(c.get('principal'), { origin: originOf(c) });
        return c.json({ ended }, 200);
      },
    )
    .delete(
      '/devices/:id',
      operation({
        id: 'forgetDevice',
        summary: 'Forget a browser',
        tags,
        responses: { 204: { description: 'It is forgotten.' } },
        failures: [Unauthenticated, ValidationFailed, DeviceNotFound],
      }),
      user,
      validated('param', IdParam),
      async (c) => {
        const { id } = c.req.valid('param');
        await auth.devices.forget(c.get('principal'), id, { origin: originOf(c) });
        return c.body(null, 204);
      },
    );
}

function toDeviceBody({ id, name, createdAt, lastSeenAt, trustedUntil }: Device) {
  return {
    id,
    name,
    createdAt: createdAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
    trustedUntil: trustedUntil?.toISOString() ?? null,
  };
}
