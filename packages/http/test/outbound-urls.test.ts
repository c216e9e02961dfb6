import { isIP } from 'node:net';
import { isFailure } from '@svc/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkOutboundUrl, isPublicAddress, OutboundRefused } from '../src/index.ts';
import { acceptedUrls, refusedUrls } from './programs/refused-urls.ts';

const reasonOf = (url: string, rules = {}) => {
  try {
    checkOutboundUrl(url, rules);
    return 'accepted';
  } catch (error) {
    if (!isFailure(error, OutboundRefused)) throw error;
    return error.details['reason'];
  }
};

describe('a URL that is registered', () => {
  for (const [reason, urls] of Object.entries(refusedUrls))
    it.each(urls)(`is refused for its ${reason}: %s`, (url) => expect(reasonOf(url)).toBe(reason));

  it.each(acceptedUrls)('is accepted: %s', (url) => expect(reasonOf(url)).toBe('accepted'));

  it('may be of an origin that is allowed, and of no other', () => {
    const rules = { allow: ['http://127.0.0.1:9000', 'https://[::1]:9443'] };
    expect(reasonOf('http://127.0.0.1:9000/hook', rules)).toBe('accepted');
    expect(reasonOf('http://2130706433:9000/hook', rules)).toBe('accepted');
    expect(reasonOf('https://[::1]:9443/', rules)).toBe('accepted');
    expect(reasonOf('http://127.0.0.1:9001/', rules)).toBe('scheme');
    expect(reasonOf('https://127.0.0.1:9000/', rules)).toBe('port');
    expect(reasonOf('http://127.0.0.2:9000/', rules)).toBe('scheme');
    expect(reasonOf('http://a@127.0.0.1:9000/', rules)).toBe('credentials');
    expect(reasonOf('http://127.0.0.1.example.com:9000/', rules)).toBe('scheme');
  });

  it('may be of a host that is allowed, by https and on the ports alone', () => {
    const rules = { allow: ['vault.internal', '10.0.0.8'], ports: [443, 8443] };
    expect(reasonOf('https://vault.internal./', rules)).toBe('accepted');
    expect(reasonOf('https://vault.internal:8443/', rules)).toBe('accepted');
    expect(reasonOf('https://10.0.0.8/', rules)).toBe('accepted');
    expect(reasonOf('http://vault.internal/', rules)).toBe('scheme');
    expect(reasonOf('https://vault.internal:9000/', rules)).toBe('port');
    expect(reasonOf('https://a.vault.internal/', rules)).toBe('name');
  });

  it.each([
    'http://a.example/path',
    'ftp://a.example',
    'a.example/x',
    '',
    'https://u@a.example',
    '*',
  ])('is not let through by a rule that cannot be read: %s', (entry) =>
    expect(() => checkOutboundUrl('https://a.example', { allow: [entry] })).toThrow(TypeError),
  );
});

/** The registry once more, as arithmetic, so that a slip in a table of ranges shows. */
function isSpecialIPv4(a: number, b: number, c: number, d: number): boolean {
  if ([0, 10, 127].includes(a) || a >= 224) return true;
  if (a === 100) return b >= 64 && b < 128;
  if (a === 168) return b === 63 && c === 129 && d === 16;
  if (a === 169) return b === 254;
  if (a === 172) return b >= 16 && b < 32;
  if (a === 198) return b === 18 || b === 19 || (b === 51 && c === 100);
  if (a === 203) return b === 0 && c === 113;
  if (a !== 192) return false;
  return (
    b === 168 ||
    (b === 0 && (c === 0 || c === 2)) ||
    (b === 31 && c === 196) ||
    (b === 52 && c === 193) ||
    (b === 88 && c === 99) ||
    (b === 175 && c === 48)
  );
}

const byte = fc.oneof(
  fc.integer({ min: 0, max: 255 }),
  fc.constantFrom(
    0,
    2,
    10,
    16,
    31,
    48,
    51,
    52,
    63,
    64,
    88,
    100,
    113,
    127,
    128,
    168,
    169,
    172,
    192,
    198,
    203,
    254,
  ),
);
const octets = fc.tuple(byte, byte, byte, byte);
const writings: ((parts: number[]) => string)[] = [
  (parts) => parts.join('.'),
  (parts) => `${parts.join('.')}.`,
  (parts) => parts.map((part) => `0${part.toString(8)}`).join('.'),
  (parts) => parts.map((part) => `0x${part.toString(16)}`).join('.'),
  ([a = 0, b = 0, c = 0, d = 0]) => `${((a * 256 + b) * 256 + c) * 256 + d}`,
  ([a = 0, b = 0, c = 0, d = 0]) => `0x${(((a * 256 + b) * 256 + c) * 256 + d).toString(16)}`,
  ([a = 0, b = 0, c = 0, d = 0]) => `${a}.${(b * 256 + c) * 256 + d}`,
  ([a = 0, b = 0, c = 0, d = 0]) => `${a}.0${b.toString(8)}.0x${(c * 256 + d).toString(16)}`,
];

describe('an address', () => {
  it('of IPv4 is judged by its value, however it is written', () => {
    fc.assert(
      fc.property(octets, fc.constantFrom(...writings), (parts, write) => {
        const expected = isSpecialIPv4(...parts) ? 'address' : 'accepted';
        expect(reasonOf(`https://${write(parts)}/`)).toBe(expected);
        expect(isPublicAddress(parts.join('.'))).toBe(expected === 'accepted');
      }),
      { numRuns: 5000 },
    );
  });

  it('of IPv4 is never reached inside of one of IPv6', () => {
    const forms = ['::ffff:', '::', '64:ff9b::', '64:ff9b:1::', '::ffff:0:'];
    fc.assert(
      fc.property(octets, fc.constantFrom(...forms), (parts, prefix) => {
        expect(isPublicAddress(`${prefix}${parts.join('.')}`)).toBe(false);
        const [a, b, c, d] = parts;
        const pair = (high: number, low: number) => (high * 256 + low).toString(16);
        expect(isPublicAddress(`${prefix}${pair(a, b)}:${pair(c, d)}`)).toBe(false);
        expect(isPublicAddress(`2002:${pair(a, b)}:${pair(c, d)}::1`)).toBe(false);
        expect(isPublicAddress(`2001:0:${pair(a, b)}:${pair(c, d)}::1`)).toBe(false);
      }),
      { numRuns: 2000 },
    );
  });

  it('of IPv6 is public only as global unicast', () => {
    const group = fc.oneof(
      fc.integer({ min: 0, max: 0xffff }),
      fc.constantFrom(0, 0x1ff, 0x200, 0xdb8, 0x2001, 0x2002, 0x2620, 0x3ffe, 0x3fff, 0x8000, 0x4f),
    );
    fc.assert(
      fc.property(fc.array(group, { minLength: 8, maxLength: 8 }), (groups) => {
        const [a = 0, b = 0, c = 0] = groups;
        const special =
          (a === 0x2001 && (b < 0x200 || b === 0xdb8)) ||
          a === 0x2002 ||
          a === 0x3ffe ||
          (a === 0x3fff && b < 0x1000) ||
          (a === 0x2620 && b === 0x4f && c === 0x8000);
        const address = groups.map((one) => one.toString(16)).join(':');
        const isPublic = a >= 0x2000 && a < 0x4000 && !special;
        expect(isPublicAddress(address)).toBe(isPublic);
        expect(reasonOf(`https://[${address}]/`)).toBe(isPublic ? 'accepted' : 'address');
        expect(isPublicAddress(`${address}%eth0`)).toBe(false);
      }),
      { numRuns: 5000 },
    );
  });

  it('that is none is not public, and no text makes the check fail otherwise', () => {
    const texts = fc.oneof(
      fc.string(),
      fc.webUrl({ withQueryParameters: true }),
      fc
        .tuple(
          fc.constantFrom('https://', 'https:', 'https:/', 'https:\\'),
          fc.string({ unit: 'binary' }),
        )
        .map((parts) => parts.join('')),
      fc
        .tuple(
          fc.string({
            unit: fc.constantFrom(
              '0',
              'x',
              '1',
              '7',
              'f',
              '.',
              ':',
              '[',
              ']',
              '@',
              '%',
              '。',
              '/',
              '#',
            ),
          }),
        )
        .map(([host]) => `https://${host}/`),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(isPublicAddress(text)).toBe(isIP(text) !== 0 && isPublicAddress(text));
        if (reasonOf(text) !== 'accepted') return;
        const url = new URL(text);
        expect([url.protocol, url.username, url.password, url.port]).toEqual([
          'https:',
          '',
          '',
          '',
        ]);
        const host = url.hostname.replace(/^\[|\]$|\.$/g, '');
        expect(
          isPublicAddress(host) || (isIP(host) === 0 && /\.[a-z0-9-]*[a-z-][a-z0-9-]*$/.test(host)),
        ).toBe(true);
      }),
      { numRuns: 5000 },
    );
  });
});
