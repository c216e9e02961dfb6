import { JobNotFound } from '../failures.ts';
import { noneAwaited } from '../flows.ts';
import type { AwaitedJob, JobState } from '../job.ts';
import type { FlowStore, NewJob } from '../store.ts';
import type { Kept } from './memory-jobs.ts';

type Ended = 'done' | 'cancelled' | 'dead' | 'purged';

interface Dependency {
  /** A dead letter that was purged never comes back. */
  readonly state: Ended | 'open';
  readonly result: string | null;
}

/** What one job waits or waited for. */
interface Flow {
  readonly dependencies: Map<string, Dependency>;
  readonly counts: Record<AwaitedJob['state'] | 'purged', number>;
}

const none: Flow['counts'] = { ...noneAwaited, purged: 0 };

/** Who waits for whom, in one process. */
export function createFlows(
  find: (id: string) => Kept | undefined,
  { release, bury }: { release(job: Kept): void; bury(job: Kept): void },
) {
  const flowOf = new Map<string, Flow>();
  const followers = new Map<string, Set<string>>();

  const verdictOf = ({ id, attributes }: Kept): 'waits' | 'runs' | 'fails' => {
    const { onFailure = 'wait' } = attributes;
    const { open, dead, cancelled, purged } = flowOf.get(id)?.counts ?? none;
    if (onFailure !== 'run' && cancelled + purged > 0) return 'fails';
    if (onFailure === 'fail' && dead > 0) return 'fails';
    return open > 0 || (onFailure === 'wait' && dead > 0) ? 'waits' : 'runs';
  };
  const resolve = (job: Kept) => {
    const verdict = job.state === 'waiting' ? verdictOf(job) : 'waits';
    if (verdict === 'runs') release(job);
    else if (verdict === 'fails') bury(job);
  };
  /** Tells those who wait for it how it stands; gives them. */
  const tell = (id: string, state: Dependency['state'], result: string | null = null) =>
    [...(followers.get(id) ?? [])].flatMap((follower) => {
      const flow = flowOf.get(follower);
      const before = flow?.dependencies.get(id);
      if (flow === undefined || before === undefined) return [];
      flow.counts[before.state] -= 1;
      flow.counts[state] += 1;
      flow.dependencies.set(id, { state, result });
      return find(follower) ?? [];
    });

  const flows: FlowStore = {
    awaited: async (id) =>
      [...(flowOf.get(id)?.dependencies ?? [])].map(([other, { state, result }]) => ({
        id: other,
        state: state === 'purged' ? 'dead' : state,
        result: result === null ? undefined : (JSON.parse(result) as unknown),
      })),
    async countAwaited(id) {
      const { purged, ...counts } = flowOf.get(id)?.counts ?? none;
      return { ...counts, dead: counts.dead + purged };
    },
  };
  return {
    flows,
    resolve,
    /** @throws {JobNotFound} when there is no record of a job that one of these is to come after. */
    requireAll(jobs: readonly NewJob[]): void {
      const missing = jobs.flatMap(({ after = [] }) => after).filter((id) => !find(id));
      if (missing.length > 0) throw new JobNotFound({ missing: [...new Set(missing)] });
    },
    add(id: string, after: readonly string[]): void {
      const flow: Flow = { dependencies: new Map(), counts: { ...none } };
      for (const other of after) {
        const job = find(other);
        const state = job !== undefined && isOver(job.state) ? job.state : 'open';
        flow.dependencies.set(other, { state, result: job?.result ?? null });
        flow.counts[state] += 1;
        followers.set(other, (followers.get(other) ?? new Set()).add(id));
      }
      flowOf.set(id, flow);
    },
    end(id: string, state: Ended, result: string | null = null): void {
      for (const follower of tell(id, state, result)) resolve(follower);
    },
    /** A dead letter is ready again; gives whether it has to wait for others once more. */
    reopen({ id, attributes }: Kept): boolean {
      tell(id, 'open');
      const { open, dead } = flowOf.get(id)?.counts ?? none;
      return open > 0 || (attributes.onFailure !== 'run' && dead > 0);
    },
    /** There is no record of it any more. */
    forget(id: string): void {
      for (const other of flowOf.get(id)?.dependencies.keys() ?? []) {
        followers.get(other)?.delete(id);
        if (followers.get(other)?.size === 0) followers.delete(other);
      }
      flowOf.delete(id);
    },
  };
}

const isOver = (state: JobState): state is 'done' | 'cancelled' | 'dead' =>
  state === 'done' || state === 'cancelled' || state === 'dead';
