import { channel } from 'node:diagnostics_channel';

/** An event as a subscriber sees it. */
export interface EventMessage<Payload> {
  /** Which instance published it: channels are global to the process, instances are not. */
  readonly instance: string;
  readonly payload: Payload;
}

/** A typed channel on `node:diagnostics_channel`. */
export interface EventChannel<Payload> {
  /** `svc.package.verb`; API, as a failure's code is. */
  readonly name: string;
  /** Hands the payload to every subscriber, at once; costs next to nothing where there is none, and never throws. */
  publish(instance: string, payload: Payload): void;
  /** Calls `listen` for every event until the returned function is called. What `listen` throws goes to `onError`. */
  subscribe(
    listen: (message: EventMessage<Payload>) => void,
    onError?: (error: unknown) => void,
  ): () => void;
}

/** Declares an event channel: `export const loggedIn = defineEvent<{ userId: string }>('svc.auth.logged_in')`. */
export function defineEvent<Payload extends object>(name: string): EventChannel<Payload> {
  const events = channel(name);
  return {
    name,
    publish(instance, payload) {
      if (events.hasSubscribers)
        events.publish({ instance, payload } satisfies EventMessage<Payload>);
    },
    subscribe(listen, onError) {
      // A subscriber that throws would become an uncaught exception of the process that published.
      const guarded = (message: unknown) => {
        try {
          listen(message as EventMessage<Payload>);
        } catch (error) {
          onError?.(error);
        }
      };
      events.subscribe(guarded);
      return () => void events.unsubscribe(guarded);
    },
  };
}
