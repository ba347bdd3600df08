import type { Clock } from '@pullwire/shared';
import ReconnectingWebSocketExport from 'reconnecting-websocket';
import { type Dial, LinkSocket } from './link-socket.ts';
import type { LinkEnd } from './redial-policy.ts';

/** `handshakeMs`: for the socket to say nothing, where it is less than for the attempt as a whole. */
type Prepared = Omit<Dial, 'clock' | 'handshakeMs' | 'closeMs'> & {
  readonly handshakeMs?: number;
};

export interface ReconnectingSocketOptions {
  readonly url: string;
  readonly subprotocols: readonly string[];
  readonly clock: Clock;
  /** For one attempt as a whole: name, proxy, TLS and upgrade. */
  readonly handshakeMs: number;
  /** For a closing handshake; then the socket is destroyed. */
  readonly closeMs: number;
  /** What the next attempt dials with, made anew for each: a token lives for minutes. */
  prepare(): Promise<Prepared>;
  /** What can be found out about an end when it is over; the signal says that nobody waits any more. Absent: no more. */
  explain?(end: LinkEnd, socket: LinkSocket, signal: AbortSignal): Promise<LinkEnd>;
  /** Milliseconds to wait after an attempt or a link ended; undefined: that was the last one. */
  waitAfter(end: LinkEnd, socket: LinkSocket | undefined): number | undefined;
  onDial(socket: LinkSocket): void;
}

interface Reconnector {
  binaryType: string;
  close(code?: number): void;
}

interface ReconnectorOptions {
  readonly WebSocket: new (url: string, protocols: string[]) => LinkSocket;
  readonly maxRetries: number;
  readonly maxEnqueuedMessages: number;
  readonly minReconnectionDelay: number;
  readonly maxReconnectionDelay: number;
  readonly connectionTimeout: number;
}

// Trap 7: its types say that the default export is a namespace, which under nodenext it is not.
const ReconnectingWebSocket = ReconnectingWebSocketExport as unknown as new (
  url: () => Promise<string>,
  protocols: string[],
  options: ReconnectorOptions,
) => Reconnector;

/** Before the next look where `prepare` or `waitAfter` themselves fail. */
const failedPrepareMs = 1_000;

/**
 * Dials, and dials again, until stopped. The only file that knows reconnecting-websocket 4.4, of which no more is used
 * than its loop: events, sending and state are those of the `LinkSocket` of each attempt, and each known trap of the
 * package has its guard here (numbers are those of its test).
 */
export class ReconnectingSocket {
  readonly #options: ReconnectingSocketOptions;
  #reconnector: Reconnector | undefined;
  #socket: LinkSocket | undefined;
  #dial: Dial | undefined;
  #wake: (() => void) | undefined;
  #stopped = false;
  readonly #stopping = new AbortController();

  constructor(options: ReconnectingSocketOptions) {
    this.#options = options;
  }

  /** Begins to dial. Trap 3: after `close` the package never dials again, so one object is started once. */
  start(): void {
    const nextDial = (): Dial => this.#takeDial();
    const adopt = (socket: LinkSocket): void => this.#adopt(socket);
    class AttemptSocket extends LinkSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols, nextDial());
        adopt(this);
      }
    }
    this.#reconnector = new ReconnectingWebSocket(this.#nextUrl, [...this.#options.subprotocols], {
      WebSocket: AttemptSocket,
      // Trap 3: at the last retry it stops without a word.
      maxRetries: Number.POSITIVE_INFINITY,
      // Trap 6: it would queue without limit while the link is down, and send it all to the next one.
      maxEnqueuedMessages: 0,
      // Trap 5: it has no jitter for each attempt. The wait is in the URL provider instead.
      minReconnectionDelay: 0,
      maxReconnectionDelay: 0,
      connectionTimeout: this.#options.handshakeMs,
    });
    // Received bodies as the pieces that they came in; the codec takes them so, which spares a copy.
    this.#reconnector.binaryType = 'fragments';
  }

  /**
   * Ends the wait, the attempt or the link under way, and resolves when its socket is gone: after `closeMs` at most.
   * No timer stays behind.
   */
  async stop(code = 1000): Promise<void> {
    this.#stopped = true;
    this.#stopping.abort();
    this.#wake?.();
    this.#reconnector?.close(code);
    if (this.#socket !== undefined) await this.#endOf(this.#socket);
  }

  /** Trap 2: a URL provider that rejects freezes the package for ever, so this one never does. */
  readonly #nextUrl = async (): Promise<string> => {
    let end = this.#socket === undefined ? undefined : await this.#endOf(this.#socket);
    while (!this.#stopped) {
      try {
        if (end !== undefined && !(await this.#pause(end))) break;
        this.#dial = await this.#prepare();
        break;
      } catch (error) {
        end = {
          cause: 'unreachable',
          reason: `the attempt could not be prepared: ${String(error)}`,
        };
        await this.#sleep(failedPrepareMs);
      }
    }
    return this.#options.url;
  };

  /** Waits as policy says; false where policy says never again. */
  async #pause(end: LinkEnd): Promise<boolean> {
    const explained = await this.#explained(end);
    if (this.#stopped) return false;
    const waitMs = this.#options.waitAfter(explained, this.#socket);
    if (waitMs === undefined) {
      this.#stopped = true;
      // Trap 4: whatever the relay answered, the package would try for ever.
      this.#reconnector?.close();
      return false;
    }
    await this.#sleep(waitMs);
    return true;
  }

  async #explained(end: LinkEnd): Promise<LinkEnd> {
    const { explain } = this.#options;
    if (explain === undefined || this.#socket === undefined) return end;
    return explain(end, this.#socket, this.#stopping.signal);
  }

  #sleep(ms: number): Promise<void> {
    if (this.#stopped) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(ms, resolve);
      this.#wake = () => {
        timer.cancel();
        resolve();
      };
    });
  }

  async #prepare(): Promise<Dial> {
    const { clock, handshakeMs, closeMs, prepare } = this.#options;
    return { clock, handshakeMs, closeMs, ...(await prepare()) };
  }

  #takeDial(): Dial {
    const dial = this.#dial;
    if (dial === undefined) throw new Error('an attempt before it was prepared');
    this.#dial = undefined;
    return dial;
  }

  #adopt(socket: LinkSocket): void {
    this.#socket = socket;
    this.#options.onDial(socket);
  }

  /**
   * How the socket ended. The package moves on at the first `error`, while the socket may still be closing, and reports
   * a `close` 1000 of its own making (trap 4): what really happened is known when the socket is gone.
   */
  async #endOf(socket: LinkSocket): Promise<LinkEnd> {
    const timer = this.#options.clock.after(this.#options.closeMs, () => socket.terminate());
    const end = await socket.ended;
    timer.cancel();
    return end;
  }
}
