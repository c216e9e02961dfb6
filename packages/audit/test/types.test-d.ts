import { expectTypeOf, test } from 'vitest';
import type { Trx } from '@svc/db';
import { type Audit, type AuditEvent, eventTypes, type KnownEventType } from '../src/index.ts';

test('append fits the port that a service declares for itself', () => {
  interface OwnEvent {
    readonly type: string;
    readonly outcome?: 'success' | 'failure' | 'denied';
    readonly actor: {
      readonly type: 'user' | 'api_key' | 'system' | 'anonymous';
      readonly id: string | null;
      readonly reason?: string;
    };
    readonly target?: { readonly type: string; readonly id: string };
    readonly tenantId?: string | null;
    readonly requestId?: string | null;
    readonly details?: Readonly<Record<string, string | number | boolean | null>>;
    readonly personal?: Readonly<Record<string, string | null>>;
  }
  type Port = (event: OwnEvent, options?: { within?: Trx }) => Promise<void>;
  expectTypeOf<Audit['append']>().toExtend<Port>();
  expectTypeOf<OwnEvent>().toEqualTypeOf<AuditEvent>();
});

test('a search says whose log it means', () => {
  expectTypeOf<Parameters<Audit['search']>[0]>().toHaveProperty('tenantId');
  // @ts-expect-error there is no default
  void ((audit: Audit) => audit.search({}));
});

test('known event types are names', () => {
  expectTypeOf<KnownEventType>().toExtend<string>();
  expectTypeOf(eventTypes['auth.login.failed'].title).toExtend<string>();
});
