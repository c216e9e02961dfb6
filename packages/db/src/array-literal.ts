/** Reads PostgreSQL's text form of an array (Documentation 8.15.6): nested, quoted, with NULL and with explicit bounds. */
export function parseArray(text: string, parse: (element: string) => unknown): unknown[] {
  let at = text.startsWith('[') ? text.indexOf('=') + 1 : 0;

  const readQuoted = (): string => {
    let value = '';
    for (at += 1; text[at] !== '"'; at += 1) {
      if (at >= text.length) throw new TypeError('an array literal ends within quotes');
      if (text[at] === '\\') at += 1;
      value += text[at];
    }
    at += 1;
    return value;
  };
  const readBare = (): unknown => {
    const start = at;
    while (at < text.length && text[at] !== ',' && text[at] !== '}') at += 1;
    const value = text.slice(start, at);
    return value === 'NULL' ? null : parse(value);
  };
  const readList = (): unknown[] => {
    const list: unknown[] = [];
    at += 1;
    while (text[at] !== '}') {
      if (at >= text.length) throw new TypeError('an array literal has no end');
      if (text[at] === ',') at += 1;
      if (text[at] === '{') list.push(readList());
      else if (text[at] === '"') list.push(parse(readQuoted()));
      else list.push(readBare());
    }
    at += 1;
    return list;
  };
  return readList();
}
