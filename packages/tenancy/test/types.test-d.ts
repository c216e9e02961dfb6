import type { Cursors } from '@svc/core';
import { Hono } from 'hono';
import { hc } from 'hono/client';
import * as v from 'valibot';
import { expectTypeOf, test } from 'vitest';
import { tenantCrud, type TenantRoutesOptions, tenantRoutes } from '../src/hono/index.ts';
import {
  type ActOptions,
  createTenancy,
  type DefaultRole,
  type Membership,
  type Tenancy,
  type TenantIsolation,
  type TenancyOptions,
} from '../src/index.ts';

declare const options: Omit<TenancyOptions, 'roles'>;
declare const isolation: TenantIsolation;
declare const cursors: Cursors;
declare const routesOptions: TenantRoutesOptions;

test('a ladder of its own decides which roles there are', () => {
  const usual = createTenancy(options);
  expectTypeOf(usual).toEqualTypeOf<Tenancy<DefaultRole>>();
  const own = createTenancy({ ...options, roles: ['guest', 'admin', 'owner'] });
  expectTypeOf<Awaited<ReturnType<typeof own.membershipOf>>>().toEqualTypeOf<Membership<
    'guest' | 'admin' | 'owner'
  > | null>();
  // @ts-expect-error -- there is no such role
  void own.members.changeRole('', '', 'member', { by: '' });
});

test('what a member does names who does it', () => {
  const { tenants, members, invitations } = createTenancy(options);
  expectTypeOf<Parameters<typeof tenants.remove>[1]>().toEqualTypeOf<ActOptions>();
  expectTypeOf<Parameters<typeof members.leave>[1]>().toEqualTypeOf<ActOptions>();
  expectTypeOf<Parameters<typeof invitations.revoke>[2]>().toEqualTypeOf<ActOptions>();
  // @ts-expect-error -- somebody must
  void tenants.remove('', {});
});

test('a typed client knows the routes', () => {
  const tenancy = createTenancy(options);
  const crud = tenantCrud(tenancy, {
    isolation,
    table: 'app.notes',
    names: { many: 'notes', one: 'note' },
    schemas: {
      create: v.strictObject({ title: v.string() }),
      change: v.strictObject({ title: v.optional(v.string()) }),
      body: v.object({ id: v.string(), title: v.string() }),
    },
    columns: { sortable: ['title'] },
    permissions: { delete: 'admin' },
    cursors,
  });
  const app = new Hono().route('/notes', crud).route('/', tenantRoutes(tenancy, routesOptions));
  const client = hc<typeof app>('http://localhost');
  expectTypeOf(client.notes.$post).parameter(0).toEqualTypeOf<{ json: { title: string } }>();
  expectTypeOf(client.notes[':id'].$patch)
    .parameter(0)
    .toMatchTypeOf<{ param: { id: string }; json: { title?: string | undefined } }>();
  type Page = Awaited<ReturnType<Awaited<ReturnType<typeof client.notes.$get>>['json']>>;
  expectTypeOf<Page>().toEqualTypeOf<{
    items: { id: string; title: string }[];
    nextCursor: string | null;
  }>();
  expectTypeOf(client.tenants.$post).parameter(0).toEqualTypeOf<{ json: { name: string } }>();
  type Tenant = Awaited<ReturnType<Awaited<ReturnType<typeof client.tenants.$post>>['json']>>;
  expectTypeOf<Tenant>().toHaveProperty('role');
});

test('only keys that a client sees are searched and ordered by', () => {
  tenantCrud(createTenancy(options), {
    isolation,
    table: 'app.notes',
    names: { many: 'notes', one: 'note' },
    schemas: {
      create: v.strictObject({ title: v.string() }),
      change: v.strictObject({}),
      body: v.object({ id: v.string() }),
    },
    // @ts-expect-error -- title is not in body
    columns: { sortable: ['title'] },
    cursors,
  });
});
