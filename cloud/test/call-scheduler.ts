import { setImmediate } from 'node:timers/promises';

/** Which of so many calls goes next. */
export type Choose = (waiting: number) => number;

/** Holds every call of the objects that it guards, and lets them go one at a time, in the order that a test wants. */
export class CallScheduler {
  readonly #waiting: (() => Promise<unknown>)[] = [];

  /** The same object, each call of which waits for its turn. */
  guard<T extends object>(target: T): T {
    return new Proxy(target, {
      get: (of, name) => {
        const method: unknown = Reflect.get(of, name);
        if (typeof method !== 'function') return method;
        return (...args: unknown[]) => this.#inTurn(() => method.apply(of, args));
      },
    });
  }

  /** Lets one call go after the other, until none comes any more. */
  async run(choose: Choose): Promise<void> {
    for (;;) {
      await setImmediate(); // by then everything that can go on without a call has
      if (this.#waiting.length === 0) return;
      await this.#waiting.splice(choose(this.#waiting.length), 1)[0]?.();
    }
  }

  #inTurn(call: () => Promise<unknown>): Promise<unknown> {
    return new Promise((resolve, reject) => {
      // Whoever made the call hears of an error; the next call has its turn all the same.
      this.#waiting.push(() => call().then(resolve, reject));
    });
  }
}

/** Runs a scenario once for each order in which its calls can go; resolves with how many there are. */
export async function inEveryOrder(scenario: (choose: Choose) => Promise<void>): Promise<number> {
  let orders = 0;
  let next: number[] | undefined = [];
  while (next !== undefined) {
    const prefix: number[] = next;
    const taken: { readonly choice: number; readonly of: number }[] = [];
    await scenario((of) => {
      const choice = prefix[taken.length] ?? 0;
      taken.push({ choice, of });
      return choice;
    });
    orders += 1;
    const turn = taken.findLastIndex(({ choice, of }) => choice + 1 < of);
    next =
      turn === -1
        ? undefined
        : [...taken.slice(0, turn).map(({ choice }) => choice), (taken[turn]?.choice ?? 0) + 1];
  }
  return orders;
}
