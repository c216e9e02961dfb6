import { EventEmitter } from 'node:events';
import { recordingLogger, testClock } from '@svc/core/testing';
import { describe, expect, it } from 'vitest';
import { onSignals, type OnSignalsOptions, type SignalSource } from '../src/shutdown.ts';

function service(options: Partial<OnSignalsOptions> = {}) {
  const clock = testClock();
  const signals = new EventEmitter();
  const codes: number[] = [];
  const logger = recordingLogger();
  const shutdown = onSignals({
    opened: [],
    clock,
    logger,
    process: signals as SignalSource,
    exit: (code) => codes.push(code),
    ...options,
  });
  return { clock, signals, codes, logger, shutdown };
}
const never = () => new Promise<void>(() => {});

describe('shutdown', () => {
  it('turns readiness off in the tick of the signal, closes in reverse, and exits with 0', async () => {
    const order: string[] = [];
    const opened = ['database', 'jobs', 'http'].map((name) => ({
      name,
      stop: async () => void order.push(name),
    }));
    const { clock, signals, codes } = service({
      opened,
      health: { drain: () => order.push('drain') },
      delayMs: 5000,
    });
    signals.emit('SIGTERM');
    expect(order).toEqual(['drain']);
    await clock.advance('4s');
    expect(order).toEqual(['drain']);
    await clock.advance('1s');
    expect(order).toEqual(['drain', 'http', 'jobs', 'database']);
    expect(codes).toEqual([0]);
    expect(clock.sleeping).toBe(0);
  });

  it('exits with 1 at once on a second signal', async () => {
    const { signals, codes, clock } = service({ opened: [{ name: 'http', stop: never }] });
    signals.emit('SIGTERM');
    await clock.advance('1s');
    expect(codes).toEqual([]);
    signals.emit('SIGINT');
    expect(codes).toEqual([1]);
  });

  it('gets past what hangs before the deadline, and still closes the rest', async () => {
    const order: string[] = [];
    const { clock, signals, codes, logger } = service({
      deadlineMs: 10_000,
      opened: [
        { name: 'database', stop: () => void order.push('database') },
        { name: 'hung', stop: never },
        { name: 'http', stop: never },
      ],
    });
    signals.emit('SIGINT');
    await clock.advance('10s');
    expect(order).toEqual(['database']);
    expect(codes).toEqual([1]);
    const hung = logger.lines
      .filter((line) => line.level === 'error')
      .map((line) => line.fields['resource']);
    expect(hung).toEqual(['http', 'hung']);
  });

  it('goes on when closing one fails, and exits with 1', async () => {
    const order: string[] = [];
    const { shutdown, codes } = service({
      opened: [
        { name: 'database', stop: () => void order.push('database') },
        { name: 'jobs', stop: () => Promise.reject(new Error('lost')) },
      ],
    });
    await shutdown.stop('test');
    expect(order).toEqual(['database']);
    expect(codes).toEqual([1]);
  });

  it('tells each how long it has, less than the deadline', async () => {
    const told: number[] = [];
    const stop = ({ graceMs }: { graceMs: number }) => void told.push(graceMs);
    const { shutdown } = service({ deadlineMs: 1000, opened: [{ name: 'http', stop }] });
    await shutdown.stop('test');
    expect(told[0]).toBeGreaterThan(500);
    expect(told[0]).toBeLessThan(1000);
  });

  it('listens no more once disposed', () => {
    const { shutdown, signals } = service();
    shutdown[Symbol.dispose]();
    expect(signals.listenerCount('SIGTERM') + signals.listenerCount('SIGINT')).toBe(0);
  });
});
