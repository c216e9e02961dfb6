import { expectTypeOf, test } from 'vitest';
import type { Actor, Auth, AuthMail, AuthOptions, Principal, WriteOptions } from '../src/index.ts';
import type { RecordingOutbox } from '../src/testing.ts';

test('only what may be null is', () => {
  expectTypeOf<Awaited<ReturnType<Auth['authenticate']>>>().toEqualTypeOf<Principal | null>();
  expectTypeOf<Awaited<ReturnType<Auth['register']>>>().toEqualTypeOf<void>();
});

test('every write takes a transaction last', () => {
  for (const write of [
    'register',
    'verify',
    'login',
    'logout',
    'forgotPassword',
    'resetPassword',
    'resendVerification',
  ] as const) {
    expectTypeOf<Parameters<Auth[typeof write]>[1]>().toEqualTypeOf<WriteOptions | undefined>();
  }
});

test('a tenant is an id, and where there is none that is said', () => {
  expectTypeOf<Principal['tenantId']>().toEqualTypeOf<string | null>();
  expectTypeOf<AuthOptions['identities']>().toEqualTypeOf<'global' | 'per_tenant' | undefined>();
  type Revoke = Parameters<Auth['apiKeys']['ofTenant']['revoke']>;
  expectTypeOf<Revoke[2]>().toEqualTypeOf<Actor>();
  expectTypeOf<Revoke[3]>().toEqualTypeOf<WriteOptions | undefined>();
});

test('the template of a mail decides its data', () => {
  expectTypeOf<Extract<AuthMail, { template: 'verify' }>['data']>().toHaveProperty(
    'expiresInMinutes',
  );
  expectTypeOf<Extract<AuthMail, { template: 'already_registered' }>['data']>().not.toHaveProperty(
    'expiresInMinutes',
  );
  expectTypeOf<RecordingOutbox['sendMail']>().toExtend<AuthOptions['sendMail']>();
});
