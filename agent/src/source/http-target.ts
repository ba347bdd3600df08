/** Where an HTTP source sends its requests. */
export interface HttpTarget {
  readonly isSecure: boolean;
  /** `http://host:port`; `http://localhost` for a Unix socket. */
  readonly origin: string;
  readonly hostname: string;
  /** Undefined: the scheme's own. */
  readonly port: number | undefined;
  /** The `Host` that the upstream sees. */
  readonly host: string;
  readonly socketPath: string | undefined;
  /** What stands before each path; without a `/` at its end. */
  readonly basePath: string;
  /** For people: `host:port`, or the socket's path. */
  readonly label: string;
}

const expected =
  'http://host[:port][/base], https://host[:port][/base] or unix:/path/to.sock[:/base]';
const basePattern = /^(?:\/[\x21\x22\x24-\x2e\x30-\x3e\x40-\x5b\x5d-\x7e]+)*$/;

/** Throws `Error` with what is expected; the message repeats nothing of `url`, which may hold a password. */
export function parseHttpTarget(url: string): HttpTarget {
  return url.startsWith('unix:') ? unixTarget(url.slice('unix:'.length)) : urlTarget(url);
}

function urlTarget(text: string): HttpTarget {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) throw new Error(expected);
  if (url.username !== '' || url.password !== '') {
    throw new Error('no user and password in the URL; put them into `headers` by {env} or {file}');
  }
  if (/[?#]/.test(text)) throw new Error('a URL without a query and a fragment');
  const isSecure = url.protocol === 'https:';
  return {
    isSecure,
    origin: url.origin,
    hostname: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? undefined : Number(url.port),
    host: url.host,
    socketPath: undefined,
    basePath: checkBase(url.pathname),
    label: url.port === '' ? `${url.host}:${isSecure ? 443 : 80}` : url.host,
  };
}

function unixTarget(rest: string): HttpTarget {
  const [socketPath = '', base = '', ...more] = rest.split(':');
  if (!socketPath.startsWith('/') || more.length > 0 || (base !== '' && !base.startsWith('/'))) {
    throw new Error(expected);
  }
  return {
    isSecure: false,
    origin: 'http://localhost',
    hostname: 'localhost',
    port: undefined,
    host: 'localhost',
    socketPath,
    basePath: checkBase(base),
    label: socketPath,
  };
}

function checkBase(path: string): string {
  const base = path.replace(/\/$/, '');
  if (!basePattern.test(base) || /(?:^|\/)\.\.?(?:\/|$)/.test(base)) {
    throw new Error('a base path without empty segments, "." and ".."');
  }
  return base;
}
