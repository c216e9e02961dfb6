import * as fc from 'fast-check';
import { describe, expect, expectTypeOf, test } from 'vitest';
import { authPermissions, createAuthorization, ownedBy } from '../src/index.ts';

const authorization = createAuthorization({
  permissions: ['project.list', 'project.delete'],
  roles: { user: ['project.list'], keeper: ['project.delete'], support: ['project.list'] },
  guards: { 'project.delete': ownedBy },
});
const ada = { ownerId: 'ada' };
const subject = (roles: readonly string[], userId = 'ada') => ({
  userId,
  permissions: authorization.permissionsOf(roles),
});

describe('roles and permissions', () => {
  test('a role brings what it names, beside what the default roles bring anyway', () => {
    expect([...authorization.permissionsOf(['support'])]).toEqual([
      'user.read',
      'billing.read',
      'security.session.list',
      'project.list',
    ]);
    expect([...authorization.permissionsOf(['admin'])]).toEqual([...authPermissions]);
    expect([...authorization.permissionsOf(['user', 'keeper'])]).toEqual([
      'project.list',
      'project.delete',
    ]);
    expect(authorization.roles).toContain('keeper');
  });

  test('what is not granted is denied, and names that are no role bring nothing', () => {
    expect(authorization.can(subject(['user']), 'user.read')).toBe(false);
    expect(authorization.can(subject([]), 'project.list')).toBe(false);
    fc.assert(
      fc.property(fc.string(), (name) => {
        fc.pre(!authorization.isRole(name));
        expect(authorization.permissionsOf([name]).size).toBe(0);
      }),
    );
    expect(authorization.permissionsOf(['__proto__', 'constructor']).size).toBe(0);
  });

  test('a guard is asked only of who holds the permission, and without a resource denies', () => {
    expect(authorization.can(subject(['keeper']), 'project.delete', ada)).toBe(true);
    expect(authorization.can(subject(['keeper'], 'eve'), 'project.delete', ada)).toBe(false);
    expect(authorization.can(subject(['user']), 'project.delete', ada)).toBe(false);
    expect(authorization.can(subject(['keeper']), 'project.delete')).toBe(false);
    expect(() => authorization.demand(subject(['user']), 'project.delete', ada)).toThrow(
      expect.objectContaining({ code: 'auth.access_denied', kind: 'forbidden' }),
    );
  });
});

describe('at start-up', () => {
  test('a role or a guard for what does not exist, and a name that is none, are refused', () => {
    expect(() => createAuthorization({ roles: { user: ['project.fly' as 'user.read'] } })).toThrow(
      /role 'user' brings the permission 'project.fly'/,
    );
    const guards = { 'project.fly': ownedBy };
    expect(() => createAuthorization({ guards: guards as {} })).toThrow(/guard .*'project.fly'/);
    for (const name of ['fly', 'Project.Fly', 'project fly', 'project.'])
      expect(() => createAuthorization({ permissions: [name] }), name).toThrow(TypeError);
  });

  test('asking for a permission that does not exist is a mistake, not a denial', () => {
    expect(() => authorization.can(subject(['user']), 'project.fly' as 'project.list')).toThrow(
      TypeError,
    );
  });
});

test('the types know the names', () => {
  expectTypeOf(authorization.can).parameter(1).toExtend<string>();
  // @ts-expect-error there is no such permission
  expect(() => authorization.can(subject([]), 'project.fly')).toThrow(TypeError);
  // @ts-expect-error a role cannot bring what does not exist
  expect(() => createAuthorization({ roles: { user: ['project.fly'] } })).toThrow(TypeError);
});
