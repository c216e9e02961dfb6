/** What authenticators write: integers, bytes, texts and maps (RFC 8949, the canonical form of CTAP2). */
export type CborValue = number | string | Uint8Array | CborMap;
export type CborMap = ReadonlyMap<number | string, CborValue>;

const major = { unsigned: 0, negative: 1, bytes: 2, text: 3, map: 5 } as const;

export function encodeCbor(value: CborValue): Buffer {
  if (typeof value === 'number')
    return value < 0 ? head(major.negative, -1 - value) : head(major.unsigned, value);
  if (typeof value === 'string') {
    const text = Buffer.from(value);
    return Buffer.concat([head(major.text, text.length), text]);
  }
  if (value instanceof Uint8Array) return Buffer.concat([head(major.bytes, value.length), value]);
  const entries = [...value].flatMap(([key, each]) => [encodeCbor(key), encodeCbor(each)]);
  return Buffer.concat([head(major.map, value.size), ...entries]);
}

function head(type: number, argument: number): Buffer {
  const first = type << 5;
  if (argument < 24) return Buffer.from([first | argument]);
  if (argument < 0x100) return Buffer.from([first | 24, argument]);
  const long = Buffer.alloc(3, first | 25);
  long.writeUInt16BE(argument, 1);
  return long;
}
