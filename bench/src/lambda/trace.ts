/** Something that happened on a pull's way. Milliseconds by `performance.now()`. */
export interface Mark {
  readonly at: number;
  readonly what: string;
}

/** What happened, in the order in which it did. */
export class Trace {
  #marks: Mark[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  mark(what: string): void {
    this.#marks.push({ at: this.#now(), what });
  }

  /** Begins anew. */
  clear(): void {
    this.#marks = [];
  }

  get marks(): readonly Mark[] {
    return this.#marks;
  }
}
