/** What a path does with bytes: hands them on; swallows them; or stops taking them, so that the sender's window closes. */
export type PathMode = 'open' | 'hole' | 'stalled';

/** One connection's bytes on this path. */
export interface PathFlow {
  /** The path's conditions are others now. */
  changed(): void;
  /** This connection's path is a hole from now on. */
  blackHole(): void;
}

/** One direction of a `TcpRelay`: its conditions hold at once for every connection, those that are open and those to come. */
export class TcpPath {
  readonly #flows = new Set<PathFlow>();
  #mode: PathMode = 'open';
  #delayMs = 0;
  #bytesPerSecond = Number.POSITIVE_INFINITY;
  /** Bytes that senders handed over, ever. */
  taken = 0;
  /** Bytes that were handed on, ever. */
  passed = 0;
  /** Packets that these bytes take on an Ethernet, at least. */
  packets = 0;

  get mode(): PathMode {
    return this.#mode;
  }

  get delayMs(): number {
    return this.#delayMs;
  }

  get bytesPerSecond(): number {
    return this.#bytesPerSecond;
  }

  /** From now on nothing comes out, not even an end; senders notice nothing. */
  blackHole(): void {
    this.#set('hole');
  }

  /** The connections that are open now are holes in this direction for ever; those to come are not. */
  forget(): void {
    for (const flow of this.#flows) flow.blackHole();
  }

  /** From now on nothing is taken: the sender's window closes. */
  stall(): void {
    this.#set('stalled');
  }

  /** Each byte arrives this much later, in milliseconds. */
  delay(ms: number): void {
    this.#delayMs = ms;
    this.#change();
  }

  /** In each connection no more than this arrives in a second. */
  throttle(bytesPerSecond: number): void {
    this.#bytesPerSecond = bytesPerSecond;
    this.#change();
  }

  /** As at the start; a connection that bytes were swallowed of stays a hole, since TCP has no gaps. */
  restore(): void {
    this.#delayMs = 0;
    this.#bytesPerSecond = Number.POSITIVE_INFINITY;
    this.#set('open');
  }

  join(flow: PathFlow): void {
    this.#flows.add(flow);
  }

  leave(flow: PathFlow): void {
    this.#flows.delete(flow);
  }

  #set(mode: PathMode): void {
    this.#mode = mode;
    this.#change();
  }

  #change(): void {
    for (const flow of this.#flows) flow.changed();
  }
}
