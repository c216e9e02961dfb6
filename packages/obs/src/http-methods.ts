const known = new Set([
  'CONNECT',
  'DELETE',
  'GET',
  'HEAD',
  'OPTIONS',
  'PATCH',
  'POST',
  'PUT',
  'QUERY',
  'TRACE',
]);

/** What the semantic conventions say instead of a method that clients invent. */
export const foldMethod = (method: string): string => (known.has(method) ? method : '_OTHER');
