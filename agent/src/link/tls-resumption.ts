import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Clock } from '@pullwire/shared';
import { chainDates } from './certificate-dates.ts';
import type { TlsPeer, TlsSession, TlsSessions } from './tls-sessions.ts';

export interface TlsResumptionOptions {
  readonly sessions: TlsSessions;
  readonly peer: TlsPeer;
  readonly clock: Clock;
}

type Checked = Pick<TlsSession, 'checkedAt' | 'validTo'>;

/** One attempt’s part in resuming TLS: the session that it offers, and those that it is given for attempts to come. */
export class TlsResumption {
  readonly #options: TlsResumptionOptions;
  readonly #offered: TlsSession | undefined;
  /** The peer may have seen what was offered. */
  #begun = false;
  #secured = false;
  #checked: Checked | undefined;

  constructor(options: TlsResumptionOptions) {
    this.#options = options;
    this.#offered = options.sessions.take(options.peer);
  }

  /** For `tls.connect`. */
  get session(): Buffer | undefined {
    return this.#offered?.bytes;
  }

  /** The attempt's socket, before its first byte. */
  watch(socket: Socket): void {
    // A proxy that refuses the tunnel leaves a socket without TLS.
    if (!(socket instanceof TLSSocket)) return;
    // Node makes the handle anew for each address that it tries, and of listeners that came before it does not tell it.
    if (socket.connecting) socket.once('connect', () => this.#begin(socket));
    else this.#begin(socket);
  }

  /** The attempt, or its link, is over. */
  ended(): void {
    const { sessions, peer } = this.#options;
    if (this.#offered === undefined || this.#secured) return;
    if (this.#begun) sessions.forget();
    else sessions.keep(peer, this.#offered);
  }

  #begin(socket: TLSSocket): void {
    this.#begun = true;
    socket.once('secureConnect', () => {
      this.#secured = true;
      this.#checked =
        this.#offered === undefined ? this.#checkedNow(socket) : this.#checkedThen(socket);
    });
    socket.on('session', (bytes: Buffer) => {
      const { sessions, peer } = this.#options;
      // Some versions of Node tell of it before the certificates are checked.
      if (this.#checked !== undefined) sessions.keep(peer, { ...this.#checked, bytes });
    });
  }

  #checkedNow(socket: TLSSocket): Checked {
    const chain = chainDates(socket.getPeerCertificate(true));
    const ends = chain.map(({ notAfterMs }) => notAfterMs);
    const validTo = ends.length > 0 ? Math.min(...ends) : 0;
    return { checkedAt: this.#options.clock.wall(), validTo };
  }

  /** The certificates of a connection that is resumed were checked when its session began, however long ago. */
  #checkedThen(socket: TLSSocket): Checked | undefined {
    const { sessions } = this.#options;
    if (this.#offered !== undefined && socket.isSessionReused()) {
      sessions.keepUsed(this.#offered);
      return this.#offered;
    }
    // Where it was not taken its like are not either. What comes in its place has not the strength of a full handshake.
    sessions.forget();
    return undefined;
  }
}
