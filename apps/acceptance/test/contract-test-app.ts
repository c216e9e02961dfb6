import { failure } from '@svc/core';
import {
  documentMiddleware,
  type HttpEnv,
  openapiDocument,
  operation,
  stack,
  validated,
} from '@svc/http/hono';
import { Hono, type MiddlewareHandler } from 'hono';
import * as v from 'valibot';

class NotSignedIn extends failure('test.not_signed_in', 'unauthenticated', 'Sign in.') {}
class NoThing extends failure('test.no_thing', 'not_found', 'There is no such thing.') {}

/** What can be wrong with the test app. */
export type PlantedFault =
  | 'crashes on a long name'
  | 'crashes on an unusual letter'
  | 'answers an undocumented status'
  | 'answers an undocumented problem'
  | 'answers another content type'
  | 'answers without a required field'
  | 'answers a number as a text'
  | 'answers an unbounded rest'
  | 'repeats what was sent'
  | 'tells the message of an exception'
  | 'tells its SQL'
  | 'accepts what it should refuse'
  | 'accepts an unknown field'
  | 'accepts an id that is none'
  | 'refuses what it should accept'
  | 'lets everybody in'
  | 'lets in made-up credentials'
  | 'says no challenge'
  | 'takes every method'
  | 'leaves a method out of Allow'
  | 'shows what was deleted'
  | 'forgets what was made'
  | 'takes any content type'
  | 'is slow';

const Thing = v.strictObject({
  id: v.pipe(v.string(), v.uuid()),
  name: v.pipe(v.string(), v.maxLength(100)),
  size: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1000)),
});
const NewThing = v.strictObject({
  name: v.pipe(v.string(), v.minLength(1), v.maxLength(100)),
  size: v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1000)),
});
const ThingId = v.strictObject({ id: v.pipe(v.string(), v.uuid()) });
const problemType = { 'content-type': 'application/problem+json' };

/** A small app that keeps to its document, but for one fault; and that document. */
export async function contractTestApp(fault?: PlantedFault) {
  const has = (each: PlantedFault) => each === fault;
  const things = new Map<string, v.InferOutput<typeof Thing>>();
  const app = new Hono<HttpEnv>();
  if (has('takes every method') || has('leaves a method out of Allow'))
    app.use(async (c, next) => {
      const isOdd = !['GET', 'POST', 'DELETE'].includes(c.req.method);
      if (isOdd && has('takes every method')) return c.json({});
      await next();
      if (c.res.status === 405) c.res.headers.set('allow', 'GET');
      return undefined;
    });
  stack(app);
  const signedIn: MiddlewareHandler = async (c, next) => {
    const given = c.req.header('authorization');
    const isKnown =
      given === 'Bearer secret' || (has('lets in made-up credentials') && given !== undefined);
    if (isKnown || has('lets everybody in')) return next();
    if (!has('says no challenge')) throw new NotSignedIn();
    const requestId = c.res.headers.get('x-request-id');
    const body = { type: '/errors/test.not_signed_in', title: 'Sign in.', status: 401 };
    const more = { code: 'test.not_signed_in', instance: '/x', request_id: requestId ?? 'x' };
    return c.json({ ...body, ...more }, 401, problemType);
  };
  app.use('/things/*', documentMiddleware(signedIn, { guards: true, failures: [NotSignedIn] }));
  const described = (id: string, status: number, schema?: typeof Thing) =>
    operation({
      id,
      summary: id,
      tags: ['Things'],
      responses: { [status]: { description: 'Done', ...(schema && { schema }) } },
      failures: [NoThing],
    });
  const check = has('accepts what it should refuse')
    ? v.object({ name: v.string(), size: v.any() })
    : has('accepts an unknown field')
      ? v.object(NewThing.entries)
      : has('refuses what it should accept')
        ? v.strictObject({ ...NewThing.entries, name: v.pipe(v.string(), v.maxLength(3)) })
        : NewThing;
  // What the document says stays, whatever is checked.
  const documented = validated('json', NewThing);
  const checked: MiddlewareHandler = Object.assign(
    (async (c, next) => {
      if (has('takes any content type') && c.req.header('content-type') === 'text/plain') {
        c.req.addValidatedData('json', { name: 'text', size: 1 });
        return next();
      }
      return (validated('json', check as typeof NewThing) as MiddlewareHandler)(c, next);
    }) as MiddlewareHandler,
    documented,
  );
  app.post('/things', described('createThing', 201, Thing), checked, async (c) => {
    const { name, size } = c.req.valid('json' as never) as v.InferOutput<typeof NewThing>;
    if (has('crashes on a long name') && name.length > 60) throw new Error('it is too long');
    // oxlint-disable-next-line no-control-regex -- what is beyond ASCII is what it is about
    if (has('crashes on an unusual letter') && /[^\u0000-\u007f]/.test(name))
      throw new Error('odd');
    if (has('answers an undocumented status') && size > 500) return c.json({}, 202);
    const answer = (status: 400 | 500, more: object) => {
      const code = status === 500 ? 'http.internal' : 'core.validation_failed';
      const own = {
        type: `/errors/${code}`,
        title: 'Something went wrong on our side.',
        status,
        code,
      };
      return c.json({ ...own, instance: '/x', request_id: 'x', ...more }, status, problemType);
    };
    if (has('answers an undocumented problem') && size > 500)
      return answer(400, { code: 'test.other' });
    if (has('repeats what was sent') && size > 500)
      return answer(400, { detail: `${name} is no name` });
    if (has('tells the message of an exception') && size > 500)
      return answer(500, { detail: 'connect ECONNREFUSED' });
    if (has('tells its SQL') && size > 500) return answer(400, { detail: 'select id from things' });
    if (has('answers another content type') && size > 500) return c.text('made', 201);
    if (has('is slow') && size > 500) await new Promise((resolve) => setTimeout(resolve, 60));
    const thing = { id: crypto.randomUUID(), name, size };
    if (!has('forgets what was made')) things.set(thing.id, thing);
    if (has('answers without a required field')) return c.json({ id: thing.id, name }, 201);
    if (has('answers a number as a text')) return c.json({ ...thing, size: String(size) }, 201);
    if (has('answers an unbounded rest')) return c.json({ ...thing, secret: 'hash' }, 201);
    return c.json(thing, 201);
  });
  const idCheck: MiddlewareHandler = has('accepts an id that is none')
    ? Object.assign((async (_, next) => next()) as MiddlewareHandler, validated('param', ThingId))
    : (validated('param', ThingId) as MiddlewareHandler);
  app.get('/things/:id', described('getThing', 200, Thing), idCheck, (c) => {
    const id = c.req.param('id');
    const anything = { id: crypto.randomUUID(), name: 'any', size: 1 };
    const thing = things.get(id) ?? (has('accepts an id that is none') ? anything : undefined);
    if (thing === undefined) throw new NoThing();
    return c.json(thing);
  });
  app.delete('/things/:id', described('deleteThing', 204), idCheck, (c) => {
    if (!things.has(c.req.param('id'))) throw new NoThing();
    if (!has('shows what was deleted')) things.delete(c.req.param('id'));
    return c.body(null, 204);
  });
  const document = await openapiDocument(app, {
    info: { title: 'Things', version: '1.0.0' },
    securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
  });
  return { app, document };
}
