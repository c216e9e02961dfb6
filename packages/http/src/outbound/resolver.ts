import { promises as dns } from 'node:dns';
import { isIP } from 'node:net';
import type { Clock } from '@svc/core';
import { OutboundRefused, UpstreamUnreachable } from './failures.ts';
import { isPublicAddress } from './special-addresses.ts';
import type { Destination } from './destination.ts';

/** Gives every address of a name, in the order in which they are tried. */
export type Resolver = (hostname: string) => Promise<readonly string[]>;

/**
 * Asks the name servers of the machine directly: a name whose servers are slow holds no thread, while `getaddrinfo`
 * would hold one of the four that files and password hashes also need.
 */
export function dnsResolver({
  timeoutMs = 2000,
  tries = 2,
  servers,
}: DnsResolverOptions = {}): Resolver {
  const resolver = new dns.Resolver({ timeout: timeoutMs, tries });
  if (servers !== undefined) resolver.setServers(servers);
  return async (hostname) => {
    const [four, six] = await Promise.allSettled([
      resolver.resolve4(hostname),
      resolver.resolve6(hostname),
    ]);
    if (four.status === 'rejected' && six.status === 'rejected') throw four.reason;
    return [four, six].flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
  };
}

export interface DnsResolverOptions {
  /** Milliseconds for each try. @default 2000 */
  timeoutMs?: number;
  /** @default 2 */
  tries?: number;
  /** As `address` or `address:port`. @default those of the machine */
  servers?: readonly string[];
}

/** What the machine itself takes a name for, with its hosts file: for the names of one's own network. */
export const systemResolver: Resolver = async (hostname) =>
  (await dns.lookup(hostname, { all: true, order: 'ipv4first' })).map(({ address }) => address);

export interface AddressesOptions {
  readonly resolver: Resolver;
  readonly trustedResolver: Resolver;
  readonly clock: Clock;
  readonly cacheMs: number;
}

const mostCached = 4096;
const mostTried = 4;

/**
 * The checked addresses of a destination. What is kept for a moment is the result of the check, so that a name that
 * changes its mind in between is not asked again: the connection goes to an address that was looked at.
 */
export function createAddresses({ resolver, trustedResolver, clock, cacheMs }: AddressesOptions) {
  const cache = new Map<string, { addresses: Promise<readonly string[]>; untilMs: number }>();

  const resolve = async ({ hostname, trusted }: Destination) => {
    let found: readonly string[];
    try {
      found = await (trusted ? trustedResolver : resolver)(hostname);
    } catch (error) {
      throw new UpstreamUnreachable({}, { cause: error });
    }
    if (found.length === 0) throw new UpstreamUnreachable({}, { cause: new Error('no address') });
    // One bad address among many is enough: whoever mixes them waits for the bad one to be picked.
    const usable = trusted ? found.every((one) => isIP(one) !== 0) : found.every(isPublicAddress);
    if (!usable) throw new OutboundRefused('address');
    return found.slice(0, mostTried);
  };

  return function addressesOf(destination: Destination): Promise<readonly string[]> {
    const { hostname, trusted } = destination;
    if (isIP(hostname) !== 0) return Promise.resolve([hostname]);
    const key = `${trusted ? '+' : '-'}${hostname}`;
    const nowMs = clock.elapsedMs();
    const known = cache.get(key);
    if (known !== undefined && known.untilMs > nowMs) return known.addresses;
    cache.delete(key);
    if (cache.size >= mostCached) cache.delete(cache.keys().next().value as string);
    const addresses = resolve(destination);
    cache.set(key, { addresses, untilMs: nowMs + cacheMs });
    // A name that could not be resolved is asked anew.
    addresses.catch(() => cache.delete(key));
    return addresses;
  };
}
