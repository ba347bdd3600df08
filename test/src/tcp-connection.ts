import type { Socket } from 'node:net';
import { TcpFlow } from './tcp-flow.ts';
import type { TcpPath } from './tcp-path.ts';

/** A connection on which nothing moves for a while ends: as a NAT forgets it, or as a proxy closes it. */
export interface IdleRule {
  readonly ms: number;
  readonly how: 'forgotten' | 'closed';
}

interface TcpConnectionStart {
  readonly idle: IdleRule | undefined;
  /** Both sides are closed. */
  ended(): void;
}

interface TcpConnectionInit {
  /** Whoever dialled. */
  readonly near: Socket;
  readonly far: Socket;
  readonly up: TcpPath;
  readonly down: TcpPath;
}

/** One connection through a `TcpRelay`: a socket to each side, and a flow each way. */
export class TcpConnection {
  readonly #sockets: readonly Socket[];
  readonly #flows: readonly TcpFlow[];
  #idle: NodeJS.Timeout | undefined;

  constructor({ near, far, up, down }: TcpConnectionInit) {
    const moved = (): void => void this.#idle?.refresh();
    this.#sockets = [near, far];
    this.#flows = [new TcpFlow(near, far, up, moved), new TcpFlow(far, near, down, moved)];
  }

  start({ idle, ended }: TcpConnectionStart): void {
    for (const flow of this.#flows) flow.start();
    for (const socket of this.#sockets) {
      socket.once('close', () => this.#sockets.every(({ destroyed }) => destroyed) && ended());
      socket.once('close', () => clearTimeout(this.#idle));
    }
    if (idle === undefined) return;
    const end = (): void => (idle.how === 'forgotten' ? this.forget() : this.cut());
    this.#idle = setTimeout(end, idle.ms);
  }

  /** Both directions are holes for ever: neither side hears of the other any more. */
  forget(): void {
    for (const flow of this.#flows) flow.blackHole();
  }

  /** Ends it in an orderly way (FIN) towards both sides. */
  cut(): void {
    this.#stop();
    for (const socket of this.#sockets) socket.destroySoon();
  }

  /** Ends it with a reset (RST) towards both sides. */
  reset(): void {
    this.#stop();
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  #stop(): void {
    clearTimeout(this.#idle);
    for (const flow of this.#flows) flow.stop();
  }
}
