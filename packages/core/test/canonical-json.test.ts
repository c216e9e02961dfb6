import fc from 'fast-check';
import { expect, test } from 'vitest';
import { canonicalJson } from '../src/index.ts';

// RFC 8785, appendix B.
test.each([
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
])('the number %s is written %s', (bits, text) => {
  expect(canonicalJson(Buffer.from(bits, 'hex').readDoubleBE())).toBe(text);
});

test('the example of RFC 8785, section 3.2, comes out byte by byte', () => {
  const value = JSON.parse(String.raw`{
    "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
    "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
    "literals": [null, true, false]
  }`) as unknown;
  expect(Buffer.from(canonicalJson(value)).toString('hex')).toBe(
    [
      '7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a',
      '5b3333333333333333332e333333333333332c31652b33302c342e352c302e3030322c31652d3237',
      '5d2c22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d',
    ].join(''),
  );
});

test('members are sorted by UTF-16 code units, as in RFC 8785, section 3.2.3', () => {
  const value = {
    '\u20ac': 'Euro Sign',
    '\r': 'Carriage Return',
    '\ufb33': 'Hebrew Letter Dalet With Dagesh',
    '1': 'One',
    '\ud83d\ude00': 'Emoji: Grinning Face',
    '\u0080': 'Control',
    '\u00f6': 'Latin Small Letter O With Diaeresis',
  };
  expect(Object.values(JSON.parse(canonicalJson(value)) as object)).toEqual(
    // An object of JavaScript has the member '1' first whatever the text says, so the text is what counts.
    expect.arrayContaining(Object.values(value)),
  );
  const order = ['Carriage', 'One', 'Control', 'Latin', 'Euro', 'Emoji', 'Hebrew'];
  const places = order.map((word) => canonicalJson(value).indexOf(word));
  expect(places).toEqual(places.toSorted((a, b) => a - b));
});

test.each([
  ['NaN', Number.NaN],
  ['an infinity', Infinity],
  ['a lone surrogate', 'a\uD800'],
  ['a lone surrogate in a name', { '\uDC00': 1 }],
  ['undefined', undefined],
  ['a function', () => {}],
  ['a big integer', 1n],
])('%s has no canonical JSON', (_, value) => {
  expect(() => canonicalJson([value])).toThrow(TypeError);
});

test('what is nested deeper than is allowed has no canonical JSON', () => {
  expect(canonicalJson([{ a: 1 }], { maxDepth: 2 })).toBe('[{"a":1}]');
  expect(() => canonicalJson([{ a: [] }], { maxDepth: 2 })).toThrow(TypeError);
  const deep: unknown = JSON.parse('['.repeat(2000) + ']'.repeat(2000));
  expect(() => canonicalJson(deep, { maxDepth: 64 })).toThrow('nested too deep');
});

test('reading and writing again changes nothing, in whatever order members stood', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      fc.pre(JSON.stringify(value).isWellFormed());
      const text = canonicalJson(JSON.parse(JSON.stringify(value)));
      expect(canonicalJson(JSON.parse(text))).toBe(text);
      expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)));
    }),
  );
});
