const mask = '[redacted]';
/** No custom header is longer: what a cut leaves of one is not kept either. */
const longestSecret = 4096;
const maxBytes = 16 * 1024;

/** How much of an answer is read. */
export const maxReadBytes = maxBytes + longestSecret;

// What receivers echo without thinking: credentials by their usual names and forms. The receiver chooses the text, so
// no part that is looked at again from each of its characters may be long.
const patterns: readonly (readonly [RegExp, string])[] = [
  [/\b(whsec|whsk|sk|pk|ghp|gho|xox[a-z])[_-][A-Za-z0-9+/=_-]{8,}/g, mask],
  [/\beyJ[\w-]{5,1000}\.[\w-]+\.[\w-]*/g, mask],
  [/\b(bearer|basic)\s+[A-Za-z0-9+/=._~-]{6,}/gi, `$1 ${mask}`],
  [
    /([\w-]{0,40}(?:authorization|password|passwd|secret|token|api[_-]?key|cookie|credential)[\w-]{0,40}["']?\s{0,20}[:=]\s{0,20})("(?:[^"\\]|\\.)*"?|[^\s,;&}]+)/gi,
    `$1${mask}`,
  ],
];

/** The beginning of an answer as it may be kept: without what we sent that is secret, without what looks like a credential, 16 kB at most. */
export function redact(bytes: Uint8Array, secrets: readonly string[]): string {
  let text = new TextDecoder().decode(bytes);
  for (const secret of secrets.flatMap(spellingsOf)) text = text.replaceAll(secret, mask);
  for (const [pattern, by] of patterns) text = text.replace(pattern, by);
  if (bytes.length >= maxReadBytes) text = text.slice(0, -longestSecret);
  // PostgreSQL has no text with NUL in it, and a terminal should not be told what to do.
  // oxlint-disable-next-line no-control-regex -- these are what is to be removed
  text = text.replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '\ufffd');
  return cut(text);
}

const spellingsOf = (secret: string): string[] =>
  secret.length < 4 ? [] : [secret, JSON.stringify(secret).slice(1, -1)];

function cut(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= maxBytes) return text;
  // A character that is cut in two is left out.
  return new TextDecoder().decode(bytes.subarray(0, maxBytes)).replace(/\ufffd$/, '');
}
