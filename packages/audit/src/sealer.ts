import { anchorCheckpoints } from './anchor.ts';
import { append } from './append.ts';
import type { AuditContext } from './context.ts';
import { sealingFailed } from './events.ts';
import { seal } from './seal.ts';
import { assertSealed, longestWaitMs } from './waiting.ts';

/** Seals in the background. */
export interface Sealer {
  start(): Promise<void>;
  stop(): Promise<void>;
}

export function createSealer(context: AuditContext, everyMs: number): Sealer {
  let running: { abort: AbortController; ended: Promise<void> } | undefined;

  const attempt = async (step: 'seal' | 'lag' | 'anchor', work: () => Promise<unknown>) => {
    try {
      await work();
    } catch (error) {
      context.logger.error({ err: error, step }, 'the audit log could not be sealed, trying again');
      sealingFailed.publish(context.name, { step });
    }
  };
  const pass = async (whenLocked: 'wait' | 'skip') => {
    await attempt('seal', () => seal(context, whenLocked));
    // Also where nothing failed: a chain that somebody keeps locked is left to whoever seems to be sealing it.
    await attempt('lag', () => assertSealed(context.db, longestWaitMs));
    await attempt('anchor', () => anchorCheckpoints(context));
  };
  const loop = async (signal: AbortSignal) => {
    while (!signal.aborted) {
      await pass('skip');
      await context.clock.sleep(everyMs, signal).catch(() => {});
    }
  };
  // PCI DSS 10.2.1.6 wants the start and the stop of the log in the log.
  const note = (type: string) =>
    append(context, context.db, {
      type,
      actor: { type: 'system', id: null },
      target: { type: 'audit', id: context.name },
    });

  return {
    async start() {
      if (running !== undefined) return;
      const own = { abort: new AbortController(), ended: Promise.resolve() };
      running = own;
      try {
        await note('audit.sealing.started');
      } catch (error) {
        if (running === own) running = undefined;
        throw error;
      }
      // Stopped in the meantime, it ends before its first round.
      own.ended = loop(own.abort.signal);
    },
    async stop() {
      const stopping = running;
      if (stopping === undefined) return;
      running = undefined;
      stopping.abort.abort();
      await stopping.ended;
      await attempt('seal', () => note('audit.sealing.stopped'));
      await pass('wait');
    },
  };
}
