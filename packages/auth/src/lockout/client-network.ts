import ipaddr from 'ipaddr.js';

/**
 * What of a client's address is counted: IPv4 as it is, IPv6 cut to its /64, which is the least that one customer is
 * given (RFC 6177). `null` where it is not known: one counter for all of those would lock out everybody.
 */
export function clientNetwork(address: string | undefined): string | null {
  const [text = ''] = (address ?? '').split(/[/%]/, 1);
  // Only the one strict form: `ipaddr.parse` takes 127.1 and 0177.0.0.1, too.
  const isV4 = ipaddr.IPv4.isValidFourPartDecimal(text);
  if (!isV4 && !(text.includes(':') && ipaddr.IPv6.isValid(text))) return null;
  const parsed = ipaddr.process(text);
  if (parsed.range() === 'unspecified') return null;
  if (parsed.kind() === 'ipv4') return parsed.toString();
  const network = new ipaddr.IPv6([...(parsed as ipaddr.IPv6).parts.slice(0, 4), 0, 0, 0, 0]);
  return `${network.toRFC5952String()}/64`;
}
