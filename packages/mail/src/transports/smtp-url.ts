/** Where mail goes, and how. */
export interface SmtpServer {
  host: string;
  /** @default 465 for `tls: 'implicit'`, else 587 */
  port?: number;
  /**
   * `implicit`: TLS from the first byte (RFC 8314). `starttls`: mail is not sent unless the connection
   * is upgraded. `off`: in the clear; credentials then only to this machine.
   *
   * @default 'off' for this machine itself (localhost, 127.0.0.1, ::1), else 'starttls'
   */
  tls?: 'implicit' | 'starttls' | 'off';
  user?: string;
  password?: string;
}

const usage =
  'an SMTP URL is smtp://[user:password@]host[:port][?tls=starttls|off] or smtps://[user:password@]host[:port]';

/** The server that a URL names. @throws {TypeError} that does not quote it. */
export function parseSmtpUrl(text: string): SmtpServer {
  // `new URL` puts the whole of it, password included, into its error.
  if (!URL.canParse(text)) throw new TypeError(usage);
  const url = new URL(text);
  const { tls, ...others } = Object.fromEntries(url.searchParams);
  const secure = url.protocol === 'smtps:';
  if (!secure && url.protocol !== 'smtp:') throw new TypeError(usage);
  if (url.hostname === '' || !/^\/?$/.test(url.pathname) || Object.keys(others).length > 0)
    throw new TypeError(usage);
  if (tls !== undefined && (secure || (tls !== 'starttls' && tls !== 'off')))
    throw new TypeError(usage);
  const mode = secure ? 'implicit' : tls;
  return {
    host: decode(url.hostname).replace(/^\[(.*)\]$/, '$1'),
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    ...(mode === undefined ? {} : { tls: mode as 'implicit' | 'starttls' | 'off' }),
    ...(url.username === '' ? {} : { user: decode(url.username), password: decode(url.password) }),
  };
}

/** How the connection to a server is secured. @throws {TypeError} when credentials would go over a network in the clear. */
export function securityOf({ host, tls, user }: SmtpServer): NonNullable<SmtpServer['tls']> {
  if (typeof host !== 'string' || host === '') throw new TypeError('an SMTP server has a host');
  const mode = tls ?? (isLoopback(host) ? 'off' : 'starttls');
  if (mode === 'off' && user !== undefined && !isLoopback(host)) {
    throw new TypeError('SMTP credentials are not sent over a network without TLS');
  }
  return mode;
}

/** Whether a host is this machine itself. */
function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A URIError quotes nothing, but says nothing either.
    throw new TypeError(`${usage}; a percent sign in the password is written %25`);
  }
}
