import { expect, test } from 'vitest';
import { eventTypes } from '../../packages/audit/src/event-types.ts';
import { authActTypes } from '../../packages/auth/src/acts.ts';
import { tenancyActTypes } from '../../packages/tenancy/src/acts.ts';

// Services know nothing of each other, so neither package can see that they speak of the same.
test('every act of sign-in is in the catalogue of the audit log, and the catalogue names no other', () => {
  const catalogued = Object.keys(eventTypes).filter((type) => type.startsWith('auth.'));
  expect(catalogued.toSorted()).toEqual([...authActTypes].toSorted());
});

test('every act on tenants is in it, and what the system does over all of them', () => {
  const catalogued = Object.keys(eventTypes).filter((type) => type.startsWith('tenancy.'));
  expect(catalogued.toSorted()).toEqual([...tenancyActTypes, 'tenancy.system_access'].toSorted());
});
