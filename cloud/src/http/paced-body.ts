import type { Clock, Timer } from '@pullwire/shared';
import type { Exchange, ExchangeListener } from './exchange.ts';

/** The caller has left, or takes nothing any more: there is nobody to answer. */
export class CallerGone extends Error {
  override readonly name = 'CallerGone';
}

/** So much is collected before it is written. */
const chunkBytes = 32_768;

/** The body of an answer that the relay makes as its caller takes it. */
export class PacedBody implements ExchangeListener {
  readonly #exchange: Exchange;
  readonly #clock: Clock;
  readonly #patienceMs: number;
  #pieces: Uint8Array[] = [];
  #bytes = 0;
  #gone = false;
  #wake: (() => void) | undefined;

  /** `patienceMs`: for how long a caller may take nothing. */
  constructor(exchange: Exchange, clock: Clock, patienceMs: number) {
    this.#exchange = exchange;
    this.#clock = clock;
    this.#patienceMs = patienceMs;
    exchange.listen(this);
  }

  /** Resolves when more may follow. Rejects with `CallerGone`. */
  async write(text: string | Uint8Array): Promise<void> {
    const piece = typeof text === 'string' ? Buffer.from(text) : text;
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes >= chunkBytes && !this.#flush()) await this.#taken();
    if (this.#gone) throw new CallerGone('the caller has left');
  }

  end(): void {
    const rest = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#exchange.end(rest);
  }

  taken(): void {
    this.#wake?.();
  }

  left(): void {
    this.#gone = true;
    this.#wake?.();
  }

  #flush(): boolean {
    const chunk = Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    return this.#exchange.write(chunk);
  }

  #taken(): Promise<void> {
    return new Promise((resolve) => {
      const timer: Timer = this.#clock.after(this.#patienceMs, () => this.left());
      this.#wake = () => {
        this.#wake = undefined;
        timer.cancel();
        resolve();
      };
    });
  }
}
