import { AsyncLocalStorage } from 'node:async_hooks';
import { expect, test } from 'vitest';
import { createGather } from '../src/gather.ts';

/** A gather whose loads the test ends, one by one. */
function gatherInHand(options: { maxRunning?: number; maxTogether?: number } = {}) {
  const loads: { keys: readonly string[]; end: (error?: Error) => Promise<void> }[] = [];
  const find = createGather<string>({
    maxRunning: 2,
    maxTogether: 3,
    ...options,
    load: (keys) =>
      new Promise((resolve, reject) => {
        const end = async (error?: Error) => {
          if (error !== undefined) reject(error);
          else resolve(new Map(keys.filter(isKnown).map((key) => [key, `value of ${key}`])));
          await new Promise(setImmediate);
        };
        loads.push({ keys, end });
      }),
  });
  return { find, loads, keys: () => loads.map((load) => load.keys.join('')) };
}

const isKnown = (key: string) => key !== '-';

test('a key that nobody is before is looked up at once, by itself', () => {
  const { find, keys } = gatherInHand();
  void find('a');
  void find('b');
  expect(keys()).toEqual(['a', 'b']);
});

test('keys that come meanwhile go together, at most so many, and each gets its own answer', async () => {
  const { find, loads, keys } = gatherInHand();
  const answers = Promise.all([...'abcd-efc'].map(find));
  expect(keys()).toEqual(['a', 'b']);
  await loads[0]?.end();
  await loads[1]?.end();
  expect(keys()).toEqual(['a', 'b', 'cd-', 'efc']);
  await loads[2]?.end();
  await loads[3]?.end();
  expect(await answers).toEqual(
    [...'abcd-efc'].map((key) => (isKnown(key) ? `value of ${key}` : undefined)),
  );
});

test('a load never answers who asked after it began', async () => {
  const { find, loads, keys } = gatherInHand({ maxRunning: 1 });
  void find('a');
  const later = find('a');
  await loads[0]?.end();
  expect(keys()).toEqual(['a', 'a']);
  await loads[1]?.end();
  expect(await later).toBe('value of a');
});

test('when a load fails, who led it is told, and the others look for themselves', async () => {
  const { find, loads, keys } = gatherInHand({ maxRunning: 1 });
  void find('a');
  const led = expect(find('b')).rejects.toThrow('lost');
  const other = find('c');
  await loads[0]?.end();
  await loads[1]?.end(new Error('lost'));
  await led;
  expect(keys()).toEqual(['a', 'bc', 'c']);
  await loads[2]?.end();
  expect(await other).toBe('value of c');
});

test('after failures as many loads may run as before', async () => {
  const { find, loads, keys } = gatherInHand({ maxRunning: 1 });
  const failing = expect(find('a')).rejects.toThrow('lost');
  await loads[0]?.end(new Error('lost'));
  await failing;
  void find('b');
  void find('c');
  expect(keys()).toEqual(['a', 'b']);
});

test('a load runs in the flow of one who asked for it', async () => {
  const flow = new AsyncLocalStorage<string>();
  const flows: (string | undefined)[] = [];
  const find = createGather<string>({
    maxRunning: 1,
    maxTogether: 10,
    load: async (keys) => {
      flows.push(flow.getStore());
      await new Promise(setImmediate);
      return new Map(keys.map((key) => [key, key]));
    },
  });
  await Promise.all(['a', 'b', 'c'].map((key) => flow.run(`flow of ${key}`, () => find(key))));
  expect(flows).toEqual(['flow of a', 'flow of b']);
});
