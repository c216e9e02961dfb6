export interface Reference {
  readonly from: string;
  readonly to: string;
  readonly deferrable: boolean;
}

/**
 * Tables in groups, so that each refers only to tables of its own group and of those before. Tables that refer to each
 * other in a circle are one group; most groups are one table.
 */
export function parentsFirst(
  names: readonly string[],
  references: readonly Reference[],
): readonly (readonly string[])[] {
  const reached = new Map(names.map((name) => [name, reachableFrom(name, references)]));
  const leadsTo = (from: string, to: string) => reached.get(from)?.has(to) === true;
  const left = new Set(names);
  const groups: string[][] = [];
  while (left.size > 0) {
    // There always is one: whatever a table leads to and does not lead back leads to fewer.
    const next = [...left].find((name) =>
      [...left].every((other) => !leadsTo(name, other) || leadsTo(other, name)),
    ) as string;
    const group = [...left].filter(
      (other) => other === next || (leadsTo(next, other) && leadsTo(other, next)),
    );
    for (const name of group) left.delete(name);
    groups.push(group);
  }
  return groups;
}

function reachableFrom(start: string, references: readonly Reference[]): ReadonlySet<string> {
  const seen = new Set<string>();
  const open = [start];
  for (let from = open.pop(); from !== undefined; from = open.pop())
    for (const { to } of references.filter((reference) => reference.from === from)) {
      if (seen.has(to)) continue;
      seen.add(to);
      open.push(to);
    }
  return seen;
}
