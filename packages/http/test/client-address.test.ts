import { isIP, isIPv4 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createClientAddress, toRateLimitAddress } from '../src/client-address.ts';

const behind = createClientAddress({ trustedProxies: ['10.0.0.0/8', 'fd00::/8', '192.0.2.7'] });

describe('the client address', () => {
  it('is that of the socket, whatever the header says, when the socket is not a proxy of ours', () => {
    expect(behind('203.0.113.9', '198.51.100.1')).toBe('203.0.113.9');
    expect(createClientAddress()('10.0.0.1', '198.51.100.1')).toBe('10.0.0.1');
  });

  it('is the first from the right that is not a proxy of ours, never the left-most', () => {
    expect(behind('10.0.0.1', '1.1.1.1, 203.0.113.9')).toBe('203.0.113.9');
    expect(behind('10.0.0.1', '1.1.1.1, 203.0.113.9, 10.2.3.4, 192.0.2.7')).toBe('203.0.113.9');
    expect(behind('::ffff:10.0.0.1', '1.1.1.1,2001:DB8:0::1')).toBe('2001:db8::1');
    expect(behind('fd00::1', ' [2001:db8::1]:4711 ')).toBe('2001:db8::1');
    expect(behind('10.0.0.1', '203.0.113.9:4711')).toBe('203.0.113.9');
  });

  it('is the last known hop when the next entry is not an address', () => {
    for (const entry of [
      'unknown',
      '',
      '127.1',
      '0x7f.0.0.1',
      '0177.0.0.1',
      '1.2.3.4.5',
      '2130706433',
      '::g',
      '1.2.3.4<script>',
    ]) {
      expect(behind('10.0.0.1', `1.1.1.1, ${entry}`)).toBe('10.0.0.1');
      expect(behind('10.0.0.1', `1.1.1.1, ${entry}, 10.9.9.9`)).toBe('10.9.9.9');
    }
  });

  it('writes IPv4 inside IPv6 as IPv4, and drops the zone', () => {
    expect(behind('::ffff:203.0.113.9')).toBe('203.0.113.9');
    expect(behind('::ffff:cb00:7109')).toBe('203.0.113.9');
    expect(behind('fe80::1%eth0')).toBe('fe80::1');
  });

  it('is 0.0.0.0 when it is not known', () => {
    expect(behind(undefined, '1.1.1.1')).toBe('0.0.0.0');
  });

  it('never depends on what stands left of the first untrusted entry', () => {
    fc.assert(
      fc.property(fc.string(), fc.ipV4(), (left, client) => {
        fc.pre(!client.startsWith('10.') && client !== '192.0.2.7');
        expect(behind('10.0.0.1', `${left},${client}`)).toBe(client);
      }),
    );
  });

  it('is always an address that node:net agrees is one, or the hop before', () => {
    const entry = fc.oneof(fc.string(), fc.ipV4Extended(), fc.ipV6(), fc.ipV4());
    fc.assert(
      fc.property(entry, (text) => {
        const address = behind('10.0.0.1', text);
        expect(isIP(address)).not.toBe(0);
        if (isIPv4(text)) expect(address).toBe(text);
      }),
      { numRuns: 2000 },
    );
  });

  it('refuses trusted proxies that are not addresses or ranges', () => {
    for (const range of [
      '',
      '10.0.0.0/33',
      '10.1/8',
      'fd00::/129',
      '::ffff:10.0.0.0/104',
      '10.0.0.0/8/8',
      '10.0.0.0/',
      'proxy',
    ]) {
      expect(() => createClientAddress({ trustedProxies: [range] })).toThrow(TypeError);
    }
  });
});

describe('the address to limit by', () => {
  it('is one for a whole /64, and IPv4 as it is', () => {
    expect(toRateLimitAddress('2001:db8:1:2:3:4:5:6')).toBe('2001:db8:1:2::/64');
    expect(toRateLimitAddress('2001:db8:1:2:ffff::')).toBe('2001:db8:1:2::/64');
    expect(toRateLimitAddress('2001:db8:1:3::1')).toBe('2001:db8:1:3::/64');
    expect(toRateLimitAddress('203.0.113.9')).toBe('203.0.113.9');
    expect(toRateLimitAddress('::ffff:203.0.113.9')).toBe('203.0.113.9');
  });
});
