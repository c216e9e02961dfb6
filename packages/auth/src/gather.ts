export interface GatherOptions<Value> {
  /** Loads that run at once. */
  maxRunning: number;
  /** Keys in one load. */
  maxTogether: number;
  /** Answers what there is of these keys, in one statement. */
  load: (keys: readonly string[]) => Promise<ReadonlyMap<string, Value>>;
}

/**
 * Looks up one key. While as many loads as may are running, keys that come wait and go together in the next: under
 * load it is one round trip for many, alone it waits for nothing. A load begins after each of its keys was asked for.
 */
export function createGather<Value>({
  maxRunning,
  maxTogether,
  load,
}: GatherOptions<Value>): (key: string) => Promise<Value | undefined> {
  // A turn runs in the flow of the one who waited, so that what hangs on flows (traces, guards) stays theirs.
  type Turn = () => Promise<Value | undefined>;
  const waiting: { key: string; take: (turn: Turn) => void }[] = [];
  let running = 0;

  const alone = async (key: string) => (await load([key])).get(key);
  const lead = async (key: string) => {
    const others = waiting.splice(0, maxTogether - 1);
    try {
      const found = await load([key, ...others.map((other) => other.key)]);
      for (const other of others) other.take(async () => found.get(other.key));
      return found.get(key);
    } catch (error) {
      // The fault may be the leader's, say a load inside a transaction that allows none: the others see for themselves.
      for (const other of others) other.take(() => alone(other.key));
      throw error;
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next.take(() => lead(next.key));
    }
  };
  return async (key) => {
    if (running < maxRunning) {
      running += 1;
      return lead(key);
    }
    const turn = await new Promise<Turn>((take) => waiting.push({ key, take }));
    return turn();
  };
}
