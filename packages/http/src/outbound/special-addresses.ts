import { BlockList, isIP } from 'node:net';

/**
 * Every range of the IANA special-purpose registry for IPv4, whether it is routed or not, with multicast and the
 * reserved rest; and one public address that is a cloud's metadata service (Azure's WireServer).
 */
const specialIPv4 = [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['168.63.129.16', 32],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.31.196.0', 24],
  ['192.52.193.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['192.175.48.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const;

/** What is special inside of global unicast: protocol assignments with Teredo and ORCHID, documentation, 6to4, AS112, the old 6bone. */
const specialGlobalIPv6 = [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['2620:4f:8000::', 48],
  ['3ffe::', 16],
  ['3fff::', 20],
] as const;

const blockedIPv4 = new BlockList();
for (const [network, bits] of specialIPv4) blockedIPv4.addSubnet(network, bits, 'ipv4');
const blockedIPv6 = new BlockList();
for (const [network, bits] of specialGlobalIPv6) blockedIPv6.addSubnet(network, bits, 'ipv6');
// All that IANA has given out as global unicast (RFC 4291 section 2.4). Mapped, NAT64, unique local, link-local,
// multicast and whatever is invented next lie outside.
const globalIPv6 = new BlockList();
globalIPv6.addSubnet('2000::', 3, 'ipv6');

/** Whether an address is one of the public internet; what is no address in its strict form is not. */
export function isPublicAddress(address: string): boolean {
  switch (isIP(address)) {
    case 4:
      return !blockedIPv4.check(address, 'ipv4');
    case 6:
      // A zone names an interface of this machine.
      if (address.includes('%')) return false;
      return globalIPv6.check(address, 'ipv6') && !blockedIPv6.check(address, 'ipv6');
    default:
      return false;
  }
}
