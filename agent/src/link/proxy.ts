import type { Agent } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { checkServerIdentity, type PeerCertificate, type SecureContext } from 'node:tls';
import { HttpsProxyAgent } from 'https-proxy-agent';
import { isExempt } from './no-proxy.ts';

/** Environment variables, as they were when the process began. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** The environment names a proxy that cannot be used. */
export class ProxyError extends Error {
  override readonly name = 'ProxyError';
}

/** A way through a proxy, for one attempt. */
export interface Tunnel {
  readonly agent: Agent;
  /** The status with which the proxy refused the tunnel, where it did. */
  refusal(): number | undefined;
  /** Frees whatever the attempt left behind. */
  close(): void;
  /** Another one through the same proxy. */
  again(): Tunnel;
}

/**
 * The proxy for a URL, or undefined where it is dialled directly: `HTTPS_PROXY` for `wss:` and `https:`, `HTTP_PROXY` for
 * `ws:` and `http:`, `ALL_PROXY` for all, unless `NO_PROXY` names the host. Names in lower case count too and win, as in curl.
 *
 * @throws ProxyError where the variable holds no URL of a proxy that speaks CONNECT; the text names the variable only,
 *   because the value may hold a password.
 */
export function proxyFor(url: URL, env: Environment): URL | undefined {
  const isSecure = url.protocol === 'wss:' || url.protocol === 'https:';
  const names = [isSecure ? 'https_proxy' : 'http_proxy', 'all_proxy'];
  for (const name of names) {
    const value = read(env, name);
    if (value === undefined) continue;
    return isExempt(url, read(env, 'no_proxy') ?? '') ? undefined : parseProxy(name, value);
  }
  return undefined;
}

/** The proxy's URL as a log may show it. */
export function withoutCredentials(proxy: URL): string {
  return `${proxy.protocol}//${proxy.host}`;
}

/**
 * Opens a tunnel by CONNECT (RFC 9110 §9.3.6) for one attempt. `secureContext` is for a proxy that is itself reached
 * over TLS; the relay's own TLS runs inside the tunnel.
 */
export function openTunnel(proxy: URL, secureContext: SecureContext | undefined): Tunnel {
  const abort = new AbortController();
  const agent = new TunnelAgent(proxy, abort.signal, secureContext);
  let status: number | undefined;
  agent.on('proxyConnect', (answer: { statusCode: number }) => {
    status = answer.statusCode;
  });
  return {
    agent,
    refusal: () => (status === 200 ? undefined : status),
    close: () => abort.abort(),
    again: () => openTunnel(proxy, secureContext),
  };
}

/** An aborted request leaves its agent's socket to the proxy open for as long as the proxy says nothing; this ends it. */
class TunnelAgent extends HttpsProxyAgent<string> {
  readonly #signal: AbortSignal;

  constructor(proxy: URL, signal: AbortSignal, secureContext: SecureContext | undefined) {
    super(proxy);
    this.#signal = signal;
    if (secureContext !== undefined) this.connectOpts.secureContext = secureContext;
  }

  override connect(
    request: Parameters<HttpsProxyAgent<string>['connect']>[0],
    options: Parameters<HttpsProxyAgent<string>['connect']>[1],
  ): Promise<Socket> {
    const { host, port } = this.connectOpts;
    if (this.proxy.protocol === 'https:') {
      // `tls.connect` takes no signal, the socket below it does.
      this.connectOpts.socket = connect({ host: host ?? '', port, signal: this.#signal });
    } else {
      this.connectOpts.signal = this.#signal;
    }
    return super.connect(request, checkingPeer(options));
  }
}

/**
 * A TLS connection inside a tunnel is given no host, and no server name where the relay is named by its address: left to
 * itself, Node then compares the certificate with the name of the socket below, which is the proxy's.
 */
function checkingPeer<T extends Parameters<HttpsProxyAgent<string>['connect']>[1]>(options: T): T {
  const { host } = options;
  if (host === undefined || isIP(host) === 0) return options;
  return {
    ...options,
    checkServerIdentity: (_name: string, peer: PeerCertificate) => checkServerIdentity(host, peer),
  };
}

function read(env: Environment, name: string): string | undefined {
  return env[name] || env[name.toUpperCase()] || undefined;
}

function parseProxy(name: string, value: string): URL {
  // curl and its kin take `host:port` for `http://host:port`.
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `http://${value}`;
  const proxy = URL.canParse(text) ? new URL(text) : undefined;
  if (proxy === undefined || (proxy.protocol !== 'http:' && proxy.protocol !== 'https:')) {
    throw new ProxyError(
      `${name.toUpperCase()}: expected the URL of an HTTP proxy, as in http://proxy.example:3128`,
    );
  }
  return proxy;
}
