import { isIP } from 'node:net';
import { OutboundRefused } from './failures.ts';
import { isPublicAddress } from './special-addresses.ts';

/** What may be called. */
export interface DestinationRules {
  /**
   * What is let through without a look at its address: an origin (`http://127.0.0.1:9000`), then with any scheme
   * and port, or a host (`vault.corp.example`), then still by https and on `ports`. @default []
   */
  allow?: readonly string[];
  /** @default [443] */
  ports?: readonly number[];
}

/** A URL that has passed everything that can be seen of it without asking for its addresses. */
export interface Destination {
  readonly url: URL;
  /** A name without its trailing dot, or an address without brackets. */
  readonly hostname: string;
  readonly port: number;
  readonly secure: boolean;
  /** Whether its addresses are not looked at. */
  readonly trusted: boolean;
}

// Names that no public zone holds (RFC 6761, RFC 6762, RFC 8375, and .internal, reserved by ICANN).
const localName = /(?:^|\.)(?:localhost|local|internal|home\.arpa|onion|in-addr\.arpa|ip6\.arpa)$/;
// Such a last label makes a reader take the whole for an IPv4 address (URL Standard, "ends in a number").
const numericEnd = /(?:^|\.)(?:\d+|0x[\da-f]*)$/;
const dnsName =
  /^(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/;

/** Reads the rules once. @throws {TypeError} where one cannot be read. */
export function createDestinations({ allow = [], ports = [443] }: DestinationRules = {}) {
  const origins = new Set<string>();
  const hosts = new Set<string>();
  for (const entry of allow) {
    const url = URL.parse(entry.includes('://') ? entry : `https://${entry}`);
    const exact = url !== null && (url.origin === entry || url.host === entry);
    if (!exact || entry.includes('*') || !/^https?:$/.test(url.protocol))
      throw new TypeError('allow holds origins (https://a.example:8443) and hosts (a.example)');
    if (entry.includes('://')) origins.add(url.origin);
    else hosts.add(bareHost(url));
  }

  return function readDestination(text: string | URL): Destination {
    const url = text instanceof URL ? new URL(text) : URL.parse(text);
    if (url === null) throw new OutboundRefused('url');
    if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new OutboundRefused('scheme');
    if (url.username !== '' || url.password !== '') throw new OutboundRefused('credentials');
    const hostname = bareHost(url);
    const secure = url.protocol === 'https:';
    const port = url.port === '' ? (secure ? 443 : 80) : Number(url.port);
    const destination = { url, hostname, port, secure };
    if (origins.has(url.origin)) return { ...destination, trusted: true };
    if (!secure) throw new OutboundRefused('scheme');
    if (!ports.includes(port)) throw new OutboundRefused('port');
    if (hosts.has(hostname)) return { ...destination, trusted: true };
    requirePublicHost(hostname);
    return { ...destination, trusted: false };
  };
}

function bareHost({ hostname }: URL): string {
  return hostname.startsWith('[') ? hostname.slice(1, -1) : hostname.replace(/\.$/, '');
}

function requirePublicHost(hostname: string): void {
  if (isIP(hostname) !== 0) {
    if (!isPublicAddress(hostname)) throw new OutboundRefused('address');
    return;
  }
  // A name of one label is completed by the machine's search domains: it means something else on each machine.
  const isPublicName = dnsName.test(hostname) && hostname.includes('.');
  if (!isPublicName || numericEnd.test(hostname) || localName.test(hostname))
    throw new OutboundRefused('name');
}

/**
 * Refuses a URL that could never be called, when somebody registers it. What its name resolves to is looked at with
 * every call.
 *
 * @throws {OutboundRefused}
 */
export function checkOutboundUrl(text: string | URL, rules?: DestinationRules): URL {
  return createDestinations(rules)(text).url;
}
