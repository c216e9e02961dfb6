/** What of a database's URL no message may show. */
export function passwordsIn(url: string): string[] {
  if (!URL.canParse(url)) return [url];
  const { password } = new URL(url);
  return password === '' ? [] : [url, password, decodeURIComponent(password)];
}
