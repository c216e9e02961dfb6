export interface PasswordContext {
  readonly appName: string;
  /** Words of the app, of any length. */
  readonly words: readonly string[];
  readonly email?: string | undefined;
  readonly name?: string | null | undefined;
}

const shortestWord = 4;

/** What an attacker tries who knows whose password it is, and where (NIST SP 800-63B-4 3.1.1.2, ASVS 5.0 6.2.11); longest first. */
export function contextWords({ appName, words, email = '', name }: PasswordContext): string[] {
  const at = email.lastIndexOf('@');
  const local = email.slice(0, Math.max(at, 0));
  const derived = [email, local, ...wordsOf(local), mainLabel(email.slice(at + 1))];
  for (const title of [name ?? '', appName])
    derived.push(title, title.replaceAll(/\s/g, ''), ...wordsOf(title));
  const long = derived.map(fold).filter((word) => [...word].length >= shortestWord);
  const all = new Set([...long, ...words.map(fold).filter((word) => word !== '')]);
  return [...all].sort((a, b) => b.length - a.length);
}

/** Whether a password is shorter than `minLength` code points where these words count for nothing; one that mentions them and is long enough without is fine. */
export function leansOnContext(
  password: string,
  words: readonly string[],
  minLength: number,
): boolean {
  // NUL, which no password has: what stood around a word must not become a word.
  const rest = words.reduce((text, word) => text.replaceAll(word, '\0'), fold(password));
  return rest.includes('\0') && [...rest.replaceAll('\0', '')].length < minLength;
}

const fold = (text: string) => text.normalize('NFC').toLowerCase().normalize('NFC').trim();

const wordsOf = (text: string) => text.split(/[^\p{L}\p{M}\p{N}]+/u);

// The longest but the last: `example` of example.co.uk, without the list of all public suffixes.
function mainLabel(domain: string): string {
  const labels = domain.split('.').slice(0, -1);
  return labels.reduce((longest, label) => (label.length > longest.length ? label : longest), '');
}
