const timestamptz =
  /^(\d{4,})-(\d\d)-(\d\d) (\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?( BC)?$/;

/**
 * Reads a timestamptz in ISO style, cut to milliseconds. `infinity` becomes the number, which compares with dates as
 * it should; a date beyond ±271 821 years is invalid, since JavaScript has none.
 */
export function parseTimestamptz(text: string): Date | number {
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

/** Writes a date as PostgreSQL reads it, also before year 1 and after 9999. @throws {TypeError} when it is invalid. */
export function formatTimestamptz(date: Date): string {
  if (Number.isNaN(date.getTime())) throw new TypeError('an invalid Date cannot be a parameter');
  const year = date.getUTCFullYear();
  const rest = date.toISOString().replace(/^[+-]?\d+/, '');
  const positive = year > 0 ? year : 1 - year;
  return `${String(positive).padStart(4, '0')}${rest}${year > 0 ? '' : ' BC'}`;
}
