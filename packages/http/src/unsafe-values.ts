/** A place in a value that no schema should have to think of. */
export interface UnsafeValue {
  readonly path: readonly (string | number)[];
  readonly code: 'nul_character' | 'lone_surrogate' | 'unknown_field';
  readonly message: string;
}

interface Visit {
  readonly value: unknown;
  readonly path: readonly (string | number)[];
}

/** Finds what is valid JSON and still cannot be stored or is an attack, at most `limit` of it. */
export function findUnsafeValues(root: unknown, limit: number): UnsafeValue[] {
  const found: UnsafeValue[] = [];
  const open: Visit[] = [{ value: root, path: [] }];
  for (let visit = open.pop(); visit !== undefined && found.length < limit; visit = open.pop()) {
    const { value, path } = visit;
    if (typeof value === 'string') {
      const fault = faultOf(value);
      if (fault !== undefined) found.push({ path, ...fault });
    } else if (isContainer(value)) {
      for (const key of Object.keys(value)) {
        const fault = faultOfKey(key);
        if (fault !== undefined) found.push({ path, ...fault });
        else
          open.push({
            value: value[key],
            path: [...path, Array.isArray(value) ? Number(key) : key],
          });
      }
    }
  }
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

function isContainer(value: unknown): value is Record<string, unknown> {
  if (Array.isArray(value)) return true;
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
