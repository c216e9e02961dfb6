import * as v from 'valibot';
import { expectTypeOf, test } from 'vitest';
import {
  defineEventType,
  type Enqueue,
  type VerifiedWebhook,
  verifyWebhook,
  type Webhooks,
} from '../src/index.ts';

const created = defineEventType({ type: 'a.created', payload: v.object({ id: v.string() }) });

test('an event takes the payload of its type', () => {
  const { publish } = {} as Webhooks;
  const tenantId = 't';
  expectTypeOf(publish<typeof created>)
    .parameter(1)
    .toHaveProperty('data')
    .toEqualTypeOf<{ id: string }>();
  // @ts-expect-error -- the id is a text
  void (() => publish(created, { tenantId, data: { id: 1 } }));
  // @ts-expect-error -- the id is missing
  void (() => publish(created, { tenantId, data: {} }));
});

test('a queue typed by its tasks fits as it is', () => {
  type Jobs = <Task extends string, Payload>(
    task: Task,
    payload: Payload,
    options?: { within?: object; runAt?: Date; delay?: number; group?: string; priority?: number },
  ) => Promise<{ id: string }>;
  expectTypeOf<Jobs>().toExtend<Enqueue>();
});

test('a Request is verified in time, headers and body at once', () => {
  expectTypeOf(verifyWebhook).toBeCallableWith({} as Request, ['s']);
  expectTypeOf(verifyWebhook({ headers: {}, body: '' }, ['s'])).toEqualTypeOf<VerifiedWebhook>();
});
