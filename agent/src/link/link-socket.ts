import type { ClientRequest, IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { SecureContext, TLSSocket } from 'node:tls';
import { type Clock, frameLimits, type Movement, movementOf } from '@pullwire/shared';
import { type ClientOptions, WebSocket } from 'ws';
import { type CertificateWay, explainOutsideDates, isOutsideDates } from './certificate-dates.ts';
import type { WireKind } from './keep-alive-cost.ts';
import type { Tunnel } from './proxy.ts';
import type { LinkEnd } from './redial-policy.ts';
import { type Refusal, readRefusal } from './refusal.ts';
import type { HeardDate } from './relay-clock.ts';

/** What one attempt dials with. */
export interface Dial {
  readonly headers: Readonly<Record<string, string>>;
  readonly secureContext?: SecureContext | undefined;
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
    let sentAt = clock.monotonic();
    super(
      url,
      [...protocols],
      clientOptions(dial, () => (sentAt = clock.monotonic())),
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

/** `secureContext` and `closeTimeout` exist, but not in the types of `ws`. */
function clientOptions(
  dial: Dial,
  onSent: () => void,
): ClientOptions & { secureContext: SecureContext | undefined; closeTimeout: number } {
  return {
    headers: { ...dial.headers },
    secureContext: dial.secureContext,
    agent: dial.tunnel?.agent,
    maxPayload,
    // Compression costs six times the CPU of everything else on this path.
    perMessageDeflate: false,
    // A redirect would take the token to another host.
    followRedirects: false,
    handshakeTimeout: dial.handshakeMs,
    closeTimeout: dial.closeMs,
    // Only from here on is the round trip the relay's: before it lie names, proxies and TLS.
    finishRequest: (request) => request.once('finish', onSent).end(),
  };
}

function heardIn(response: IncomingMessage, clock: Clock, sentAt: number): HeardDate | undefined {
  const { date } = response.headers;
  if (date === undefined) return undefined;
  return { date, atMs: clock.wall(), roundTripMs: clock.monotonic() - sentAt };
}

/** An error of several addresses (RFC 8305) has a code and no message. */
function describeFailure(error: Error & { code?: unknown }): string {
  const code = typeof error.code === 'string' ? error.code : undefined;
  if (error.message === '') return code ?? error.name;
  return code === undefined || error.message.includes(code)
    ? error.message
    : `${error.message} (${code})`;
}
