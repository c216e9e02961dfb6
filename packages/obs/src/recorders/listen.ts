import type { EventChannel, Logger } from '@svc/core';

/** Listens to a channel until the recorder is stopped. */
export type Listen = <Payload extends object>(
  channel: EventChannel<Payload>,
  record: (payload: Payload, instance: string) => void,
) => void;

/** Makes a `Listen`, and what ends all that began with it. What a recorder throws is logged once for each channel. */
export function createListening(logger: Logger) {
  const ends: (() => void)[] = [];
  const faulty = new Set<string>();
  const listen: Listen = (channel, record) => {
    const onError = (error: unknown) => {
      if (faulty.has(channel.name)) return;
      faulty.add(channel.name);
      logger.error({ channel: channel.name, err: error }, 'an event could not be recorded');
    };
    ends.push(channel.subscribe(({ instance, payload }) => record(payload, instance), onError));
  };
  return {
    listen,
    stop() {
      for (const end of ends.splice(0)) end();
    },
  };
}
