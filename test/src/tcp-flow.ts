import type { Socket } from 'node:net';
import type { PathFlow, TcpPath } from './tcp-path.ts';

/** How a flow ends: as its sender ended it. */
type FlowEnd = 'fin' | 'reset';

interface Piece {
  readonly dueAt: number;
  readonly bytes: Buffer | FlowEnd;
}

/** More than this on its way, and the sender has to wait: a slow path has no endless room. */
const roomBytes = 64 * 1024;
/** Of TCP with time stamps, on an Ethernet. */
const packetBytes = 1_448;
/** A throttled path hands bytes on in so many pieces a second. */
const piecesPerSecond = 20;

/** One connection's bytes in one direction, under the conditions of a path. */
export class TcpFlow implements PathFlow {
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #path: TcpPath;
  readonly #moved: () => void;
  readonly #queue: Piece[] = [];
  #queuedBytes = 0;
  /** When the last byte in the queue has left a throttled path. */
  #freeAt = 0;
  #timer: NodeJS.Timeout | undefined;
  #lost = false;
  #full = false;
  #ended = false;

  /** `moved` is told of each byte that is handed on. */
  constructor(from: Socket, to: Socket, path: TcpPath, moved: () => void) {
    this.#from = from;
    this.#to = to;
    this.#path = path;
    this.#moved = moved;
  }

  start(): void {
    const from = this.#from;
    this.#path.join(this);
    from.on('data', (bytes: Buffer) => this.#take(bytes));
    from.once('end', () => this.#end('fin'));
    from.on('error', () => this.#end('reset'));
    this.#to.on('drain', () => {
      this.#full = false;
      this.#pump();
    });
    this.#to.once('close', () => this.stop());
    this.changed();
  }

  /** This connection's path is a hole from now on, whatever becomes of the others'. */
  blackHole(): void {
    this.#lost = true;
    this.changed();
  }

  changed(): void {
    if (this.#isHole) this.#drop();
    this.#pump();
  }

  /** Nothing is taken and nothing handed on any more. */
  stop(): void {
    this.#ended = true;
    this.#path.leave(this);
    this.#drop();
    this.#from.resume(); // so that it notices its end
  }

  get #isHole(): boolean {
    return this.#lost || this.#path.mode === 'hole';
  }

  #take(bytes: Buffer): void {
    this.#path.taken += bytes.length;
    if (this.#ended) return;
    if (this.#isHole) {
      this.#lost = true;
      return;
    }
    const rate = this.#path.bytesPerSecond;
    const size = Number.isFinite(rate)
      ? Math.max(1, Math.ceil(rate / piecesPerSecond))
      : bytes.length;
    for (let at = 0; at < bytes.length; at += size) this.#enqueue(bytes.subarray(at, at + size));
    this.#pump();
  }

  #enqueue(bytes: Buffer | FlowEnd): void {
    const now = performance.now();
    const length = typeof bytes === 'string' ? 0 : bytes.length;
    this.#freeAt = Math.max(now, this.#freeAt) + (length * 1_000) / this.#path.bytesPerSecond;
    this.#queuedBytes += length;
    this.#queue.push({ dueAt: this.#freeAt + this.#path.delayMs, bytes });
  }

  #end(how: FlowEnd): void {
    if (this.#ended || this.#queue.at(-1)?.bytes === 'reset') return;
    if (this.#isHole) {
      this.#lost = true;
      return;
    }
    this.#enqueue(how);
    this.#pump();
  }

  #drop(): void {
    if (this.#queue.length > 0) this.#lost = true;
    this.#queue.length = 0;
    this.#queuedBytes = 0;
    clearTimeout(this.#timer);
  }

  /** Hands on what is due, and takes more where there is room. */
  #pump(): void {
    clearTimeout(this.#timer);
    const stalled = this.#path.mode === 'stalled' && !this.#lost;
    if (!this.#ended && !stalled && !this.#full) this.#handOn();
    this.#breathe(stalled);
  }

  #handOn(): void {
    for (let next = this.#queue[0]; next !== undefined; next = this.#queue[0]) {
      const inMs = next.dueAt - performance.now();
      if (inMs > 0) {
        this.#timer = setTimeout(() => this.#pump(), Math.ceil(inMs));
        return;
      }
      this.#queue.shift();
      this.#pass(next.bytes);
      if (this.#full || this.#ended) return;
    }
  }

  #pass(bytes: Buffer | FlowEnd): void {
    if (bytes === 'reset') {
      this.#to.resetAndDestroy();
    } else if (bytes === 'fin') {
      this.#to.end();
    } else {
      this.#queuedBytes -= bytes.length;
      this.#path.passed += bytes.length;
      this.#path.packets += Math.ceil(bytes.length / packetBytes);
      this.#moved();
      this.#full = !this.#to.write(bytes);
    }
  }

  #breathe(stalled: boolean): void {
    if (this.#from.destroyed) return;
    const wait =
      !this.#isHole && !this.#ended && (stalled || this.#full || this.#queuedBytes > roomBytes);
    if (wait) this.#from.pause();
    else this.#from.resume();
  }
}
