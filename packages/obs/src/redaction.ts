/** What takes secrets out of what is logged. */
export interface Redaction {
  /** The same object where nothing had to be taken out, else a copy; an error becomes an object of its type, message, stack, code and cause. */
  fields(fields: object): object;
  text(text: string): string;
}

export interface RedactionOptions {
  /** Names of fields, beside those that are secret by default, whose values are not logged. @default [] */
  names?: readonly string[];
  /** Expressions, beside those by default, whose matches are not logged; each with the flag `g`. @default [] */
  patterns?: readonly RegExp[];
}

const redacted = '[redacted]';

// Compared with the end of a name without case and separators: `newPassword`, `X-Api-Key`, `client_secret`.
const secretNames =
  /(?:password|passwd|passphrase|secret|token|apikey|authorization|cookie|privatekey|signingkey|encryptionkey|recoverycode|credential|mfacode|totpcode|otp|csrf|dsn|databaseurl|redisurl|smtpurl)s?$/;
const separators = /[^a-z0-9]/g;

// What is secret wherever it stands.
const secretTexts: readonly [RegExp, string][] = [
  // user:password@host
  [/(\b[a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#@]+@/gi, `$1${redacted}@`],
  [/\b(Bearer|Basic|DPoP)\s+[A-Za-z0-9._~+/=-]{6,}/gi, `$1 ${redacted}`],
  // JSON Web Tokens, signed and encrypted.
  [/\beyJ[A-Za-z0-9_-]{5,1000}\.[A-Za-z0-9_-]*\.[A-Za-z0-9_.-]*/g, redacted],
  // Secrets and keys of webhooks (Standard Webhooks), and API keys of this house: prefix, id, secret.
  [/\bwh(?:sec|sk)_[A-Za-z0-9+/=_-]{16,}/g, redacted],
  [/\b[a-z][a-z0-9]{1,15}_[0-9A-Za-z]{20,24}_[0-9A-Za-z]{30,}/g, redacted],
  [/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)/g, redacted],
  // In addresses and forms: ?token=…
  [
    /([?&#;](?:[a-z_]*token|code|state|password|secret|signature|sig|key|api_key)=)[^\s&#;"']+/gi,
    `$1${redacted}`,
  ],
];

const deepest = 8;
const mostItems = 200;

/** Takes out what is secret by the name of its field, or by its form. Not found is a bare secret under an innocent name. */
export function createRedaction({ names = [], patterns = [] }: RedactionOptions = {}): Redaction {
  const own = new Set(names.map(plain));
  const texts = [...secretTexts, ...patterns.map((each) => [each, redacted] as const)];
  const verdicts = new Map<string, boolean>();

  const isSecretName = (name: string) => {
    const known = verdicts.get(name);
    if (known !== undefined) return known;
    const isSecret = secretNames.test(plain(name)) || own.has(plain(name));
    // Names of fields are few; where they are not, none is kept.
    if (verdicts.size < 10_000) verdicts.set(name, isSecret);
    return isSecret;
  };
  const text = (given: string): string => {
    if (given.length < 6) return given;
    let clean = given;
    for (const [pattern, instead] of texts) clean = clean.replace(pattern, instead);
    return clean;
  };
  const errorOf = (error: Error, depth: number): object => {
    const { name, message, stack, cause } = error;
    const { code, errors } = error as { code?: unknown; errors?: unknown };
    return {
      type: name,
      message: text(message),
      ...(stack !== undefined && { stack: text(stack) }),
      ...((typeof code === 'string' || typeof code === 'number') && { code }),
      ...(cause !== undefined && { cause: value(cause, depth + 1) }),
      ...(Array.isArray(errors) && { errors: value(errors, depth + 1) }),
    };
  };
  const value = (given: unknown, depth: number): unknown => {
    if (typeof given === 'string') return text(given);
    if (typeof given !== 'object' || given === null) return given;
    if (depth > deepest) return '[too deep]';
    if (given instanceof Error) return errorOf(given, depth);
    if (given instanceof Date) return given;
    if (given instanceof URL) return text(given.href);
    if (ArrayBuffer.isView(given) || given instanceof ArrayBuffer) return '[bytes]';
    if (Array.isArray(given)) return list(given, depth);
    if (given instanceof Headers || given instanceof Map)
      return object(Object.fromEntries(given as Iterable<[string, unknown]>), depth);
    if (given instanceof Set) return list([...given], depth);
    return object(given as Record<string, unknown>, depth);
  };
  const list = (items: readonly unknown[], depth: number) =>
    items.slice(0, mostItems).map((item) => value(item, depth + 1));
  const object = (given: Record<string, unknown>, depth: number): object => {
    // Most lines have nothing to hide: they are not copied.
    let copy: Record<string, unknown> | undefined;
    for (const name of Object.keys(given)) {
      const before = given[name];
      const hides = isSecretName(name) && !isHarmless(before);
      const after = hides ? redacted : value(before, depth + 1);
      if (after === before) continue;
      copy ??= { ...given };
      copy[name] = after;
    }
    return copy ?? given;
  };
  return { fields: (fields) => value(fields, 0) as object, text };
}

const plain = (name: string) => name.toLowerCase().replaceAll(separators, '');

/** A count of tokens, or that there is no password, is no secret. */
const isHarmless = (value: unknown) =>
  value === null || value === undefined || typeof value === 'number' || typeof value === 'boolean';
