import ipaddr from 'ipaddr.js';

/** Says who is at the other end, from the address of the socket and the `X-Forwarded-For` header. */
export type ClientAddress = (
  socketAddress: string | undefined,
  forwardedFor?: string | undefined,
) => string;

export interface ClientAddressOptions {
  /** Addresses and CIDR ranges of the proxies in front of this service. @default [] (the header is ignored) */
  trustedProxies?: readonly string[];
}

/** What stands for an address that is not known, such as that of a Unix socket. */
export const unknownAddress = '0.0.0.0';

/**
 * Walks `X-Forwarded-For` from the right, which is the end our own proxies write, and stops at the
 * first address that is not one of them: whatever stands left of it can be made up by the client.
 *
 * @throws {TypeError} when a trusted proxy is neither an address nor a CIDR range.
 */
export function createClientAddress({
  trustedProxies = [],
}: ClientAddressOptions = {}): ClientAddress {
  const ranges = trustedProxies.map(parseRange);
  const isTrusted = (address: Address) =>
    ranges.some(
      ([network, bits]) => network.kind() === address.kind() && address.match(network, bits),
    );

  return (socketAddress, forwardedFor) => {
    let client = parseAddress(socketAddress ?? '');
    if (client === undefined) return unknownAddress;
    const hops = forwardedFor === undefined ? [] : forwardedFor.split(',');
    while (isTrusted(client) && hops.length > 0) {
      const hop = parseHop(hops.pop() as string);
      // A proxy that wrote `unknown`, or something that no proxy writes: the last known hop answers for it.
      if (hop === undefined) break;
      client = hop;
    }
    return write(client);
  };
}

/**
 * The address to count under when limiting: IPv4 as it is, IPv6 cut to its /64, which is the least
 * that one customer is given (RFC 6177), so that nobody has 2^64 of them to spend.
 */
export function toRateLimitAddress(address: string): string {
  const parsed = parseAddress(address);
  if (parsed === undefined) return unknownAddress;
  if (parsed.kind() === 'ipv4') return write(parsed);
  const network = new ipaddr.IPv6([...(parsed as ipaddr.IPv6).parts.slice(0, 4), 0, 0, 0, 0]);
  return `${write(network)}/64`;
}

type Address = ipaddr.IPv4 | ipaddr.IPv6;

/** An address in its one strict form. IPv4 inside IPv6 (RFC 4291 section 2.5.5.2) is IPv4. */
function parseAddress(text: string): Address | undefined {
  // Never `ipaddr.parse`: it takes 127.1, 0x7f.1 and 0177.0.0.1, and what the next reader makes of them may differ.
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return ipaddr.IPv4.parse(text);
  const [address = '', zone, ...rest] = text.split('%');
  if (zone === '' || rest.length > 0 || !address.includes(':')) return undefined;
  if (!ipaddr.IPv6.isValid(address)) return undefined;
  const v6 = ipaddr.IPv6.parse(address);
  return v6.isIPv4MappedAddress() ? v6.toIPv4Address() : v6;
}

/** One entry of the header; some proxies write the port after the address. */
function parseHop(entry: string): Address | undefined {
  const text = entry.trim();
  const withPort = /^\[([^\]]+)\](?::\d{1,5})?$/.exec(text) ?? /^([\d.]+):\d{1,5}$/.exec(text);
  return parseAddress(withPort?.[1] ?? text);
}

function parseRange(text: string): [Address, number] {
  const [address = '', bits, ...rest] = text.split('/');
  const network = parseAddress(address);
  const longest = network?.kind() === 'ipv4' ? 32 : 128;
  const isMappedRange = network?.kind() === 'ipv4' && address.includes(':') && bits !== undefined;
  const length = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : NaN;
  if (network === undefined || rest.length > 0 || isMappedRange || !(length <= longest)) {
    throw new TypeError(
      'a trusted proxy is an address or a CIDR range, such as 10.0.0.0/8 or fd00::/8',
    );
  }
  return [network, length];
}

const write = (address: Address) =>
  address.kind() === 'ipv4' ? address.toString() : (address as ipaddr.IPv6).toRFC5952String();
