import type { Hello } from '@pullwire/shared';

/** What a link says of itself, again whenever something of it changes. Before `welcome` a second one is out of turn: it waits. */
export class SpokenHello {
  readonly #say: (hello: Hello) => void;
  #hello: Hello | undefined;
  #heartbeatMs: number | undefined;
  #isAnswered = false;
  #isStale = false;

  constructor(say: (hello: Hello) => void) {
    this.#say = say;
  }

  /** The first one. */
  start(hello: Hello): void {
    this.#hello = hello;
    this.#say(hello);
  }

  /** The agent offers something else, or the link is of another run. */
  repeat(hello: Hello): void {
    this.#hello = hello;
    this.#changed();
  }

  /** The relay is to watch at another pace, in milliseconds. */
  paced(heartbeatMs: number): void {
    this.#heartbeatMs = heartbeatMs;
    this.#changed();
  }

  /** The first one has its `welcome`. */
  answered(): void {
    this.#isAnswered = true;
    if (this.#isStale) this.#changed();
  }

  #changed(): void {
    this.#isStale = !this.#isAnswered;
    if (this.#hello === undefined || this.#isStale) return;
    const heartbeatMs = this.#heartbeatMs;
    this.#say({ ...this.#hello, ...(heartbeatMs !== undefined && { heartbeatMs }) });
  }
}
