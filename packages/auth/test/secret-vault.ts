/** Remembers secrets by kind, and finds them again in whatever form they were written down. */
export interface Vault {
  /** Answers the secret. */
  keep(kind: string, secret: string): string;
  /** How many different ones of each kind there are. */
  counts(): Record<string, number>;
  /** One of each kind. */
  samples(): { kind: string; secret: string }[];
  /** Which of them stand in a text, by kind and form. */
  foundIn(text: string): string[];
}

export function openVault(): Vault {
  const kinds = new Map<string, Set<string>>();
  return {
    keep(kind, secret) {
      if (typeof secret !== 'string' || secret.length < 6)
        throw new TypeError(`that is no secret of the kind ${kind}`);
      kinds.set(kind, (kinds.get(kind) ?? new Set()).add(secret));
      return secret;
    },
    counts: () => Object.fromEntries([...kinds].map(([kind, secrets]) => [kind, secrets.size])),
    samples: () =>
      [...kinds].map(([kind, secrets]) => ({ kind, secret: [...secrets][0] as string })),
    foundIn(text) {
      const folded = text.toLowerCase();
      const found: string[] = [];
      for (const [kind, secrets] of kinds) {
        for (const secret of secrets) {
          for (const [name, form] of formsOf(secret))
            if (isIn(folded, form.toLowerCase())) found.push(`${kind} as ${name}`);
        }
      }
      return found;
    },
  };
}

/** A secret as text and as bytes: its own, and those that it encodes in base64url, hex or base32. */
export function formsOf(secret: string): [name: string, form: string][] {
  const compact = secret.replaceAll('-', '');
  const texts: [string, string][] = [['text', secret]];
  if (compact !== secret) texts.push(['text without hyphens', compact]);
  const bytes: [string, Buffer][] = texts.map(([name, text]) => [name, Buffer.from(text)]);
  if (/^[\w-]{32,}$/.test(secret))
    bytes.push(['what it encodes', Buffer.from(secret, 'base64url')]);
  if (/^[A-Z2-7]{32,}$/.test(secret)) bytes.push(['what its base32 encodes', fromBase32(secret)]);
  return [
    ...texts,
    ...bytes.flatMap(([name, each]): [string, string][] => [
      [`hex of ${name}`, each.toString('hex')],
      [`base64 of ${name}`, each.toString('base64').replace(/=+$/, '')],
      [`base64url of ${name}`, each.toString('base64url')],
    ]),
  ];
}

// Six digits stand in many an identifier; as a code they stand alone.
function isIn(text: string, form: string): boolean {
  return /^\d{6}$/.test(form)
    ? new RegExp(`(?<![0-9a-z.:-])${form}(?![0-9a-z.:-])`).test(text)
    : text.includes(form);
}

function fromBase32(text: string): Buffer {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
  const bits = [...text]
    .map((each) => alphabet.indexOf(each).toString(2).padStart(5, '0'))
    .join('');
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
