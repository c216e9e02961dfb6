import { systemClock } from '@svc/core';
import { createObs } from '@svc/obs';
import { observe } from '@svc/obs/hono';
import { Hono } from 'hono';
import { type Benchmark, type Prepared, type Sample, WrongAnswer } from '../benchmark.ts';

const batch = 1000;

/** What metrics and trace context add to a request, and that paths make no series. */
export const obsRequests: Benchmark = {
  name: 'obs-requests',
  summary: `requests within the process, one after the other, in turns of ${batch}; each with a path that was never there before`,
  reference: 'bare Hono',
  goals: [{ variant: 'what observe adds', figure: 'p50Ms', atMost: 0.005 }],
  prepare,
};

async function prepare(): Promise<Prepared> {
  const obs = createObs();
  obs.start();
  const route = (app: Hono) => app.get('/items/:id', (c) => c.text('ok'));
  const bare = route(new Hono());
  const observed = route(new Hono().use(observe(obs)));
  let paths = 0;
  const requests = async (app: Hono): Promise<number> => {
    const begunAt = systemClock.elapsedMs();
    for (let at = 0; at < batch; at += 1) {
      paths += 1;
      const answer = await app.request(`${paths % 2 === 0 ? '/items' : '/nothing'}/${paths}`);
      if (answer.status !== (paths % 2 === 0 ? 200 : 404))
        throw new WrongAnswer(`the status was ${answer.status}`);
    }
    return systemClock.elapsedMs() - begunAt;
  };
  await requests(observed);
  const { seriesCount } = obs.metrics;
  const measure = async (durationMs: number, turn: () => Promise<number>): Promise<Sample> => {
    const begunAt = systemClock.elapsedMs();
    const latenciesMs: number[] = [];
    while (systemClock.elapsedMs() - begunAt < durationMs) latenciesMs.push((await turn()) / batch);
    if (obs.metrics.seriesCount !== seriesCount)
      throw new WrongAnswer(`${paths} paths made series`);
    const elapsedMs = systemClock.elapsedMs() - begunAt;
    return { operations: latenciesMs.length * batch, elapsedMs, latenciesMs };
  };
  return {
    variants: [
      { name: 'bare Hono', run: (ms) => measure(ms, () => requests(bare)) },
      { name: 'observed', run: (ms) => measure(ms, () => requests(observed)) },
      {
        name: 'what observe adds',
        run: (ms) => measure(ms, async () => (await requests(observed)) - (await requests(bare))),
      },
    ],
    [Symbol.asyncDispose]: async () => obs.stop(),
  };
}
