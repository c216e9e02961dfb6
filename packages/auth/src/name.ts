import { ValidationFailed } from '@svc/core';

const maxNameLength = 200;

/** What somebody is called; `null` for nothing. @throws {ValidationFailed} */
export function parseName(value: string | null | undefined): string | null {
  if (value === undefined || value === null) return null;
  if (typeof value !== 'string') throw new TypeError('name must be a string');
  const name = value.trim();
  if (isName(name)) return name === '' ? null : name;
  throw new ValidationFailed([
    {
      pointer: '/name',
      code: 'name',
      message: `Must be text of at most ${maxNameLength} characters without control characters.`,
    },
  ]);
}

/** What somebody else says that a person is called; `null` where it could be no name. */
export function usableName(value: string | null): string | null {
  const name = value?.trim() ?? '';
  return name !== '' && isName(name) ? name : null;
}

const isName = (name: string) => name.length <= maxNameLength && !/[\p{Cc}\p{Cs}]/u.test(name);
