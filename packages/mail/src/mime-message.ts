/** One line of a header, unfolded and decoded. */
export interface MimeHeader {
  /** In lower case. */
  readonly name: string;
  readonly value: string;
}

/** What a message holds, for those who check what arrived. */
export interface MimeMessage {
  readonly headers: readonly MimeHeader[];
  readonly text: string;
  readonly html: string | undefined;
}

interface Part {
  readonly headers: readonly MimeHeader[];
  readonly body: string;
}

/** Reads a message (RFC 5322, RFC 2045–2047): its headers, and the first text and HTML parts. */
export function parseMimeMessage(raw: Uint8Array): MimeMessage {
  // One character per byte until the charset is known.
  const message = parsePart(Buffer.from(raw).toString('latin1'));
  const parts = leavesOf(message);
  const find = (type: string) => parts.find((part) => mediaType(part) === type);
  const text = find('text/plain');
  const html = find('text/html');
  return {
    headers: message.headers.map(({ name, value }) => ({ name, value: decodeWords(value) })),
    text: text === undefined ? '' : decodeBody(text),
    html: html === undefined ? undefined : decodeBody(html),
  };
}

function parsePart(source: string): Part {
  const end = source.startsWith('\r\n') ? 0 : source.indexOf('\r\n\r\n');
  const head = end < 0 ? source : source.slice(0, end);
  const headers = head
    .replace(/\r\n(?=[ \t])/g, '')
    .split('\r\n')
    .filter((line) => line !== '')
    .map((line) => {
      const colon = line.indexOf(':');
      return {
        name: line.slice(0, colon).trim().toLowerCase(),
        value: line.slice(colon + 1).trim(),
      };
    });
  return { headers, body: end < 0 ? '' : source.slice(end).replace(/^(?:\r\n){1,2}/, '') };
}

function leavesOf(part: Part): Part[] {
  if (!mediaType(part).startsWith('multipart/')) return [part];
  const boundary = /boundary="?([^";]+)"?/i.exec(headerOf(part, 'content-type'))?.[1] ?? '';
  const sections = `\r\n${part.body}`.split(`\r\n--${boundary}`);
  return sections
    .slice(1)
    .filter((section) => !section.startsWith('--'))
    .flatMap((section) => leavesOf(parsePart(section.replace(/^[ \t]*\r\n/, ''))));
}

function headerOf({ headers }: Part, name: string): string {
  return headers.find((header) => header.name === name)?.value ?? '';
}

function mediaType(part: Part): string {
  return (headerOf(part, 'content-type') || 'text/plain').split(';')[0]!.trim().toLowerCase();
}

function decodeBody(part: Part): string {
  const encoding = headerOf(part, 'content-transfer-encoding').toLowerCase();
  if (encoding === 'base64') return Buffer.from(part.body, 'base64').toString();
  const bytes =
    encoding === 'quoted-printable'
      ? unquote(part.body.replace(/[ \t]*=\r\n/g, (end) => end.slice(0, -3)))
      : part.body;
  return Buffer.from(bytes, 'latin1').toString();
}

function unquote(text: string): string {
  return text.replace(/=([0-9A-F]{2})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  );
}

// RFC 2047; a character may be cut between two words, so neighbours are joined as bytes before they are decoded.
function decodeWords(value: string): string {
  const word = /=\?([\w-]+)\?([QB])\?([^?]*)\?=/gi;
  return Buffer.from(value, 'latin1')
    .toString()
    .replace(/(?:=\?[\w-]+\?[QB]\?[^?]*\?=\s*)+(?<!\s)/gi, (run) => {
      const bytes = [...run.matchAll(word)].map(([, , encoding, text]) =>
        encoding?.toUpperCase() === 'B'
          ? Buffer.from(text ?? '', 'base64')
          : Buffer.from(unquote((text ?? '').replaceAll('_', ' ')), 'latin1'),
      );
      return Buffer.concat(bytes).toString();
    });
}
