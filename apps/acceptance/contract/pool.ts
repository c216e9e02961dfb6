import type { Answer } from './checks.ts';
import type { ContractOperation } from './contract.ts';
import type { PlannedRequest } from './planned-request.ts';

/** Ids that the app has shown, by the path of the collection they belong to. */
export function createPool() {
  const ids = new Map<string, string[]>();
  const keep = (collection: string, id: unknown) => {
    const known = ids.get(collection) ?? [];
    if (typeof id !== 'string' || known.includes(id)) return;
    ids.set(collection, [...known, id].slice(-20));
  };
  return {
    learn({ path, method }: ContractOperation, _: PlannedRequest, { text, headers }: Answer) {
      if (headers.get('content-type') !== 'application/json') return;
      if (path.endsWith('}') || (method !== 'GET' && method !== 'POST')) return;
      for (const each of recordsIn(text)) {
        keep(path, each['id']);
        keep(path, each['userId']);
      }
    },
    idOf(collection: string, pick: number): string | undefined {
      const known = ids.get(collection) ?? [];
      // Now and then one of nothing.
      return pick % 7 === 0 ? undefined : known[pick % Math.max(known.length, 1)];
    },
  };
}

/** The resources of an answer: itself, its items, or what it names. */
export function recordsIn(text: string): Readonly<Record<string, unknown>>[] {
  if (!text.startsWith('{')) return [];
  const whole = JSON.parse(text) as Readonly<Record<string, unknown>>;
  const inside = Object.values(whole).flatMap((each) => (Array.isArray(each) ? each : [each]));
  return [whole, ...inside].filter(
    (each): each is Readonly<Record<string, unknown>> => typeof each === 'object' && each !== null,
  );
}
