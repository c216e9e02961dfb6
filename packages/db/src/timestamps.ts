const timestamptz =
  /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?( BC)?$/;

/**
 * Reads a timestamptz in ISO style, cut to milliseconds. `infinity` becomes the number, which compares with dates as
 * it should; a date beyond ±271 821 years is invalid, since JavaScript has none.
 */
export function parseTimestamptz(text: string): Date | number {
  const usual = parseUsual(text);
  if (usual !== undefined) return usual;
  if (text === 'infinity') return Infinity;
  if (text === '-infinity') return -Infinity;
  const match = timestamptz.exec(text);
  if (match === null) throw new TypeError('the session must keep DateStyle ISO');
  const [, year, month, day, hour, minute, second, fraction = '', sign] = match;
  const offsetSeconds =
    Number(match[9]) * 3600 + Number(match[10] ?? 0) * 60 + Number(match[11] ?? 0);
  const date = new Date(0);
  // Date.UTC would take the years 0 to 99 for 1900 to 1999. There is no year 0: 1 BC is astronomers' 0.
  date.setUTCFullYear(
    match[12] === undefined ? Number(year) : 1 - Number(year),
    Number(month) - 1,
    Number(day),
  );
  date.setUTCHours(
    Number(hour),
    Number(minute),
    Number(second),
    Number(fraction.padEnd(3, '0').slice(0, 3)),
  );
  return new Date(date.getTime() - (sign === '+' ? offsetSeconds : -offsetSeconds) * 1000);
}

// Sessions are kept at UTC, so nearly every text is `2026-03-29 02:30:00.123456+00`, the fraction cut where it ends in
// zeros. Anything else, earlier years included (`Date.UTC` reads 50 as 1950), is left to the long way.
function parseUsual(text: string): Date | undefined {
  const isUsual = text.charCodeAt(4) === dash && text.charCodeAt(0) > zero && text.endsWith('+00');
  if (!isUsual) return undefined;
  const date = Date.UTC(
    digits(text, 0) * 100 + digits(text, 2),
    digits(text, 5) - 1,
    digits(text, 8),
    digits(text, 11),
    digits(text, 14),
    digits(text, 17),
    millisecondsOf(text),
  );
  return Number.isNaN(date) ? undefined : new Date(date);
}

const [dash, zero] = [45, 48];

const digits = (text: string, at: number) =>
  (text.charCodeAt(at) - zero) * 10 + text.charCodeAt(at + 1) - zero;

// Between the seconds and `+00` stands nothing, or a point and up to six digits.
function millisecondsOf(text: string): number {
  const given = Math.min(text.length - 3, 23) - 20;
  if (given <= 0) return 0;
  return Number(text.slice(20, 20 + given)) * 10 ** (3 - given);
}

/** Writes a date as PostgreSQL reads it, also before year 1 and after 9999. @throws {TypeError} when it is invalid. */
export function formatTimestamptz(date: Date): string {
  if (Number.isNaN(date.getTime())) throw new TypeError('an invalid Date cannot be a parameter');
  const text = date.toISOString();
  // Four digits: a year that both write alike, save the year 0, which PostgreSQL does not have.
  if (text.length === 24 && !text.startsWith('0000')) return text;
  const year = date.getUTCFullYear();
  const rest = text.replace(/^[+-]?\d+/, '');
  const positive = year > 0 ? year : 1 - year;
  return `${String(positive).padStart(4, '0')}${rest}${year > 0 ? '' : ' BC'}`;
}
