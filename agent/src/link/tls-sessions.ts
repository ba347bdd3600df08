import type { SecureContext } from 'node:tls';
import type { Clock } from '@pullwire/shared';

/** By which a next connection is opened without the peer showing its certificates again (RFC 8446 §2.2). */
export interface TlsSession {
  /** As Node gives it; it holds a secret. */
  readonly bytes: Buffer;
  /** When the peer's certificates were last checked, in milliseconds since the epoch. */
  readonly checkedAt: number;
  /** When the first of those certificates expires, in milliseconds since the epoch. */
  readonly validTo: number;
}

/** Whom a session was agreed with, and by what it was trusted. */
export interface TlsPeer {
  /** With its port. */
  readonly host: string;
  readonly secureContext: SecureContext | undefined;
}

/** A resumed connection checks no certificate: after this long they are shown, and checked, again. */
const maxAgeMs = 24 * 3_600_000;
/** A server gives one or two for each connection; the newest are kept. */
const maxHeld = 4;
/** One costs its length at the next dial; above this a full handshake is the cheaper one. */
const maxBytes = 8_192;

/** What the relay gave for connections to come. In memory only: whoever has one can take the relay's place. */
export class TlsSessions {
  readonly #clock: Clock;
  #peer: TlsPeer | undefined;
  #held: TlsSession[] = [];
  #used: TlsSession | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The newest that is good for this peer; one that was used before only where there is no other. Or undefined. */
  take(peer: TlsPeer): TlsSession | undefined {
    if (!this.#isFor(peer)) return undefined;
    this.#held = this.#held.filter((session) => this.#isGood(session));
    return this.#held.pop() ?? this.#takeUsed();
  }

  /** Given by the peer, for one connection. */
  keep(peer: TlsPeer, session: TlsSession): void {
    if (session.bytes.length > maxBytes) return;
    if (!this.#isFor(peer)) this.forget();
    this.#peer = peer;
    this.#used = undefined;
    this.#held = [...this.#held, session].slice(-maxHeld);
  }

  /**
   * Has resumed a connection. A session should serve once (RFC 8446 appendix C.4), so that nobody on the way can tell two
   * connections to be of one client; but some servers give no other one to a client that resumes, and a full handshake
   * costs hours of heartbeat.
   */
  keepUsed(session: TlsSession): void {
    this.#used = session;
  }

  forget(): void {
    this.#held = [];
    this.#used = undefined;
  }

  #takeUsed(): TlsSession | undefined {
    const used = this.#used;
    this.#used = undefined;
    return used !== undefined && this.#isGood(used) ? used : undefined;
  }

  #isFor({ host, secureContext }: TlsPeer): boolean {
    return host === this.#peer?.host && secureContext === this.#peer.secureContext;
  }

  /** A clock that was set back says nothing of its age. */
  #isGood({ checkedAt, validTo }: TlsSession): boolean {
    const now = this.#clock.wall();
    return checkedAt <= now && now < Math.min(checkedAt + maxAgeMs, validTo);
  }
}
