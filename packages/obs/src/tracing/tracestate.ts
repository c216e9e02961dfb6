import { trimOws } from './traceparent.ts';

const simpleKey = /^[a-z][a-z0-9_\-*/]{0,255}$/;
const tenantKey = /^[a-z0-9][a-z0-9_\-*/]{0,240}@[a-z][a-z0-9_\-*/]{0,13}$/;
/** Printable, without comma and equals sign; the last one is no space. */
const value = /^[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const mostMembers = 32;
// 32 members of the longest key and value.
const mostCharacters = 32 * (256 + 1 + 256 + 1);

/** The list of W3C Trace Context, section 3.3, without empty members; `undefined` where one member is wrong, for then all are dropped. */
export function readTracestate(header: string | undefined): string | undefined {
  if (header === undefined || header.length > mostCharacters) return undefined;
  const members = header.split(',').map(trimOws).filter(Boolean);
  if (members.length === 0 || members.length > mostMembers) return undefined;
  const keys = new Set<string>();
  for (const member of members) {
    const at = member.indexOf('=');
    const key = member.slice(0, at);
    if (at < 1 || !(simpleKey.test(key) || tenantKey.test(key))) return undefined;
    if (!value.test(member.slice(at + 1)) || keys.has(key)) return undefined;
    keys.add(key);
  }
  return members.join(',');
}
