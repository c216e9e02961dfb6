/** A place in a value that no schema should have to think of. */
export interface UnsafeValue {
  readonly path: readonly (string | number)[];
  readonly code: 'nul_character' | 'lone_surrogate' | 'unknown_field';
  readonly message: string;
}

/**
 * Finds what is valid JSON and still cannot be stored or is an attack, at most `limit` of it. Recursion is
 * as deep as the value, which `parseJson` bounds; the path is shared, so that harmless values cost nothing.
 */
export function findUnsafeValues(root: unknown, limit: number): UnsafeValue[] {
  const found: UnsafeValue[] = [];
  const path: (string | number)[] = [];
  const add = (fault: Omit<UnsafeValue, 'path'> | undefined) => {
    if (fault !== undefined && found.length < limit) found.push({ path: [...path], ...fault });
    return fault !== undefined;
  };
  const visit = (value: unknown): void => {
    if (typeof value === 'string') add(faultOf(value));
    else if (Array.isArray(value)) value.forEach((item, index) => descend(index, item));
    else if (isRecord(value)) {
      for (const key of Object.keys(value)) if (!add(faultOfKey(key))) descend(key, value[key]);
    }
  };
  const descend = (key: string | number, value: unknown) => {
    if (found.length >= limit || (typeof value !== 'string' && typeof value !== 'object')) return;
    path.push(key);
    visit(value);
    path.pop();
  };
  visit(root);
  return found;
}

function faultOf(text: string): Omit<UnsafeValue, 'path'> | undefined {
  // PostgreSQL stores no NUL in text or jsonb (error 22021, 22P05).
  if (text.includes('\0'))
    return { code: 'nul_character', message: 'Must not contain a NUL character.' };
  // With the u flag only a surrogate without its other half matches: it has no UTF-8 form.
  if (/\p{Surrogate}/u.test(text))
    return { code: 'lone_surrogate', message: 'Must be well-formed Unicode.' };
  return undefined;
}

// A name that every object inherits (`__proto__`, `constructor`) is looked up instead of missed by code that asks `key in entries`.
function faultOfKey(key: string): Omit<UnsafeValue, 'path'> | undefined {
  if (key in Object.prototype)
    return { code: 'unknown_field', message: 'Has a field that is not known.' };
  return faultOf(key);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
