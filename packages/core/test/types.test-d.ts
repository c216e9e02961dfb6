import * as v from 'valibot';
import { expectTypeOf, test } from 'vitest';
import { type Failure, failure, isFailure, parseSettings, setting, toMs } from '../src/index.ts';

test('settings are typed by their schema, under camelCase names', () => {
  const settings = parseSettings(
    v.object({
      DATABASE_OWNER_URL: setting.text('x'),
      PORT: v.optional(setting.integer('p', 0, 9), '1'),
      SMTP_URL: v.optional(setting.text('x')),
    }),
    {},
  );
  expectTypeOf(settings.databaseOwnerUrl).toEqualTypeOf<string>();
  expectTypeOf(settings.port).toEqualTypeOf<number>();
  expectTypeOf(settings.smtpUrl).toEqualTypeOf<string | undefined>();
});

test('a failure keeps its code as a type', () => {
  class Locked extends failure('demo.locked', 'conflict', 'Locked.') {}
  expectTypeOf(new Locked().code).toEqualTypeOf<'demo.locked'>();
  const error: unknown = undefined;
  if (isFailure(error, Locked)) expectTypeOf(error).toEqualTypeOf<Failure<'demo.locked'>>();
});

test('a duration is a number and a unit', () => {
  // @ts-expect-error a bare number says no unit
  toMs('5');
  // @ts-expect-error not a unit
  toMs('5 minutes');
});
