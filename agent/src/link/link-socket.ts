import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { type SecureContext, TLSSocket } from 'node:tls';
import { type Clock, frameLimits, type Movement, movementOf } from '@pullwire/shared';
import { type ClientOptions, WebSocket } from 'ws';
import { explainOutsideDates, isOutsideDates } from './certificate-dates.ts';
import type { WireKind } from './keep-alive-cost.ts';
import type { Tunnel } from './proxy.ts';
import type { LinkEnd } from './redial-policy.ts';
import { type Refusal, readRefusal } from './refusal.ts';
import type { HeardDate } from './relay-clock.ts';
import type { CertificateWay } from './shown-certificate.ts';
import { TlsResumption } from './tls-resumption.ts';
import type { TlsSessions } from './tls-sessions.ts';

/** What one attempt dials with. */
export interface Dial {
  readonly headers: Readonly<Record<string, string>>;
  readonly secureContext?: SecureContext | undefined;
  /** What the relay gave for connections to come; absent: each handshake is a full one. */
  readonly sessions?: TlsSessions | undefined;
  /** Of the same trust, in the place of `secureContext` where a session is offered. */
  readonly resumingContext?: SecureContext | undefined;
  /** The way through a proxy; it is closed with the socket. */
  readonly tunnel?: Tunnel | undefined;
  readonly clock: Clock;
  /** For the socket to say nothing during the handshake; the whole of it is bounded by whoever dials. */
  readonly handshakeMs: number;
  /** For the peer's close frame; then the socket is destroyed. */
  readonly closeMs: number;
}

/** Over the limit of a message, so that it is the codec which finds it and a `bye too-large` which says so. */
const maxPayload = frameLimits['pullwire.v1+bin'].frameBytes + 1_024;

/** One attempt at a WebSocket and what became of it. `ended` resolves once, whatever happens, and never rejects. */
export class LinkSocket extends WebSocket {
  readonly ended: Promise<LinkEnd>;
  readonly #dial: Dial;
  #transport: Socket | undefined;
  #heard: HeardDate | undefined;
  #refusal: Refusal | undefined;
  #error: Error | undefined;
  #opened = false;

  constructor(url: string, protocols: readonly string[], dial: Dial) {
    const { clock, tunnel } = dial;
    const resumption = resumptionOf(url, dial);
    let sentAt = clock.monotonic();
    super(
      url,
      [...protocols],
      clientOptions(dial, resumption, () => (sentAt = clock.monotonic())),
    );
    this.#dial = dial;
    this.on('upgrade', (response) => {
      this.#heard = heardIn(response, clock, sentAt);
      // The only public way to the socket below: corking and counting bytes need it.
      this.#transport = response.socket;
    });
    this.on('open', () => {
      this.#opened = true;
    });
    // `ws` emits `error` also after whoever dialled has removed its listeners; without one the process would end.
    this.on('error', (error) => {
      this.#error ??= error;
    });
    this.on('unexpected-response', (_request: ClientRequest, response: IncomingMessage) => {
      // What a proxy says tells nothing of the relay's time.
      if (tunnel?.refusal() === undefined) this.#heard = heardIn(response, clock, sentAt);
      void this.#refused(response);
    });
    this.ended = new Promise((resolve) => {
      this.once('close', (closeCode: number) => {
        tunnel?.close();
        resumption?.ended();
        resolve(this.#endOf(closeCode));
      });
    });
  }

  /** The socket below, from `open` on. */
  get transport(): Socket {
    if (this.#transport === undefined) throw new Error('the WebSocket is not open yet');
    return this.#transport;
  }

  /** What was answered instead of 101, where something was. */
  get refusal(): Refusal | undefined {
    return this.#refusal;
  }

  /** The `Date` of the relay's answer, where it has one. */
  get heard(): HeardDate | undefined {
    return this.#heard;
  }

  /** What `ws` said went wrong. */
  get failure(): string | undefined {
    return this.#error && describeFailure(this.#error);
  }

  /**
   * How the attempt ended, with the dates where a certificate's are the reason: they take a connection to read, which
   * `signal` ends.
   */
  async explain(end: LinkEnd, signal: AbortSignal): Promise<LinkEnd> {
    if (end.cause !== 'unreachable' || !isOutsideDates(this.#error)) return end;
    const reason = await explainOutsideDates(this.#error, this.#certificateWay(signal));
    return { cause: 'unreachable', reason, outsideDates: true };
  }

  #certificateWay(signal: AbortSignal): CertificateWay {
    const { secureContext, tunnel, clock } = this.#dial;
    return { url: new URL(this.url), secureContext, tunnel: tunnel?.again(), clock, signal };
  }

  /** reconnecting-websocket forwards each message in an event object of its own; nobody listens to it there. */
  override addEventListener<K extends keyof WebSocket.WebSocketEventMap>(
    type: K,
    listener: (event: WebSocket.WebSocketEventMap[K]) => void,
    options?: WebSocket.EventListenerOptions,
  ): void {
    if (type !== 'message') super.addEventListener(type, listener, options);
  }

  get wire(): WireKind {
    const { remoteFamily, getProtocol } = this.transport as Socket & Partial<TLSSocket>;
    const tls = getProtocol?.call(this.transport) ?? undefined;
    return { tls, ipv6: remoteFamily === 'IPv6' };
  }

  /** Whether TLS was resumed: the relay showed no certificates then. False where the link is in the clear. */
  get isResumed(): boolean {
    const { transport } = this;
    return transport instanceof TLSSocket && transport.isSessionReused();
  }

  movement(): Movement {
    return movementOf(this.transport);
  }

  /** Ends it without waiting for the peer; what was written still goes to the kernel, unless its queue is stuck. */
  abandon(isStuck: boolean): void {
    if (isStuck) this.terminate();
    else this.transport.destroySoon();
  }

  async #refused(response: IncomingMessage): Promise<void> {
    this.#refusal = await readRefusal(response, this.#dial.clock);
    // With a listener for this event, ending the attempt is up to us; it emits `error`, then `close`.
    this.terminate();
  }

  #endOf(closeCode: number): LinkEnd {
    if (this.#opened) return { cause: 'closed', closeCode };
    const proxyStatus = this.#dial.tunnel?.refusal();
    if (proxyStatus !== undefined) return { cause: 'proxy-refused', status: proxyStatus };
    if (this.#refusal === undefined) {
      return { cause: 'unreachable', reason: this.failure ?? `closed with ${closeCode}` };
    }
    const { status, retryAfterMs, byRelay } = this.#refusal;
    return {
      cause: 'refused',
      status,
      ...(retryAfterMs !== undefined && { retryAfterMs }),
      ...(byRelay && { byRelay }),
    };
  }
}

function resumptionOf(url: string, dial: Dial): TlsResumption | undefined {
  const { sessions, secureContext, clock } = dial;
  if (sessions === undefined) return undefined;
  return new TlsResumption({ sessions, peer: { host: new URL(url).host, secureContext }, clock });
}

/** These exist, but not in the types of `ws`. */
interface UntypedOptions {
  readonly secureContext: SecureContext | undefined;
  readonly session: Buffer | undefined;
  readonly closeTimeout: number;
}

function clientOptions(
  dial: Dial,
  resumption: TlsResumption | undefined,
  onSent: () => void,
): ClientOptions & UntypedOptions {
  return {
    headers: { ...dial.headers },
    secureContext: contextOf(dial, resumption),
    session: resumption?.session,
    agent: dial.tunnel?.agent,
    maxPayload,
    // Compression costs six times the CPU of everything else on this path.
    perMessageDeflate: false,
    // A redirect would take the token to another host.
    followRedirects: false,
    handshakeTimeout: dial.handshakeMs,
    closeTimeout: dial.closeMs,
    finishRequest: (request) => {
      request.once('socket', (socket: Socket) => resumption?.watch(socket));
      // Only from here on is the round trip the relay's: before it lie names, proxies and TLS.
      request.once('finish', onSent).end();
    },
  };
}

function contextOf(dial: Dial, resumption: TlsResumption | undefined): SecureContext | undefined {
  const { secureContext, resumingContext = secureContext } = dial;
  return resumption?.session === undefined ? secureContext : resumingContext;
}

function heardIn(response: IncomingMessage, clock: Clock, sentAt: number): HeardDate | undefined {
  const { date } = response.headers;
  if (date === undefined) return undefined;
  return { date, atMs: clock.wall(), roundTripMs: clock.monotonic() - sentAt };
}

/** For people. An error of several addresses (RFC 8305) has a code and no message. */
export function describeFailure(error: Error & { code?: unknown }): string {
  const code = typeof error.code === 'string' ? error.code : undefined;
  if (error.message === '') return code ?? error.name;
  return code === undefined || error.message.includes(code)
    ? error.message
    : `${error.message} (${code})`;
}
