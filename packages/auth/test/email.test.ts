import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseEmail } from '../src/email.ts';

const domain = `@${'d'.repeat(60)}.${'e'.repeat(60)}.${'f'.repeat(60)}`;

describe('e-mail addresses', () => {
  test.each([
    ['Ada@Example.com', 'ada@example.com'],
    ['  ada@example.com ', 'ada@example.com'],
    ["o'neil+tag_1@mail.example.co.uk", "o'neil+tag_1@mail.example.co.uk"],
    ['joerg@bücher.example', 'joerg@xn--bcher-kva.example'],
    // One mailbox, however the domain is written: no second account for it.
    ['ada@\uff45xample.com', 'ada@example.com'],
    // The Kelvin sign is K in NFC: no second account that looks the same.
    ['\u212Aelvin@example.com', 'kelvin@example.com'],
    [`${'l'.repeat(64)}${domain}.com`, `${'l'.repeat(64)}${domain}.com`],
  ])('%j is accepted as %j', (written, normalized) => {
    expect(parseEmail(written).normalized).toBe(normalized);
  });

  test.each([
    ['empty', ''],
    ['no at sign', 'ada.example.com'],
    ['no local part', '@example.com'],
    ['letters that no mail program here can send to', 'jörg@example.com'],
    ['no dot in the domain', 'ada@localhost'],
    ['an address as domain', 'ada@127.0.0.1'],
    ['two at signs', 'ada@bob@example.com'],
    ['a space', 'ada lovelace@example.com'],
    ['a trailing line break', 'ada@example.com\r\n'],
    ['an injected header', 'ada@example.com\r\nBcc: all@example.com'],
    ['a NUL', 'ada\0@example.com'],
    ['a list', 'ada@example.com,bob@example.com'],
    ['a display name', 'Ada <ada@example.com>'],
    ['a quoted local part', '"ada"@example.com'],
    ['a zero-width space', 'ada\u200B@example.com'],
    ['a right-to-left override', 'ada\u202E@example.com'],
    ['a lone surrogate', 'ada\uD800@example.com'],
    ['dots in a row', 'ada..l@example.com'],
    ['a label that starts with a hyphen', 'ada@-example.com'],
    ['a local part of 65', `${'l'.repeat(65)}@example.com`],
    ['300 characters', `ada@${'d.'.repeat(146)}com`],
    ['a megabyte', `${'a'.repeat(1_000_000)}@example.com`],
  ])('%s is refused, without its value', (_, written) => {
    let refusal: unknown;
    try {
      parseEmail(written);
    } catch (error) {
      refusal = error;
    }
    expect(refusal).toMatchObject({
      code: 'core.validation_failed',
      details: { errors: [{ pointer: '/email', code: 'email' }] },
    });
    if (written !== '')
      expect(JSON.stringify(refusal)).not.toContain(JSON.stringify(written).slice(1, -1));
  });

  test('whatever is accepted is stable, bounded, and fit for a header', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.emailAddress(),
          fc.string({ unit: 'binary' }).map((text) => `${text}@example.com`),
        ),
        (written) => {
          try {
            const { address, normalized } = parseEmail(written);
            expect(parseEmail(normalized).normalized).toBe(normalized);
            expect(Buffer.byteLength(address)).toBeLessThanOrEqual(254);
            expect(address).not.toMatch(/[\s\p{Cc}<>,;]/u);
          } catch (error) {
            expect(error).toMatchObject({ code: 'core.validation_failed' });
          }
        },
      ),
    );
  });

  test('what is not a string is a bug of the caller', () => {
    expect(() => parseEmail(undefined as unknown as string)).toThrow(TypeError);
  });
});
