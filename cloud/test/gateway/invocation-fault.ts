/**
 * What goes wrong with an invocation. `throw`: the handler throws `error`. `crash`: its process ends. `hang`: it
 * never answers, until the function's time is out.
 */
export interface InvocationFault {
  readonly kind: 'throw' | 'crash' | 'hang';
  /** `after`: once the handler has done its work. `before` unless said. */
  readonly when?: 'before' | 'after';
  readonly error?: Error;
}

/** An invocation that waits for the test. */
export interface Hold {
  /** Resolves when the invocation stands before its handler. */
  readonly arrived: Promise<void>;
  /** Lets it run. */
  release(): void;
}

type Step = { readonly fault: InvocationFault } | { readonly hold: () => Promise<void> };

/** What the next invocations of a function meet, in order; each is used once. */
export class InvocationPlan {
  readonly #steps: Step[] = [];

  /** How many steps wait for an invocation. */
  get pending(): number {
    return this.#steps.length;
  }

  fail(fault: InvocationFault, times: number): void {
    for (let i = 0; i < times; i += 1) this.#steps.push({ fault });
  }

  hold(): Hold {
    const arrived = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    this.#steps.push({
      hold: () => {
        arrived.resolve();
        return released.promise;
      },
    });
    return { arrived: arrived.promise, release: () => released.resolve() };
  }

  next(): Step | undefined {
    return this.#steps.shift();
  }
}

/** Plays `fault` around `work`. Rejects with the planned error, or calls `crash`, which must throw. */
export async function playFault(
  fault: InvocationFault,
  work: () => Promise<unknown>,
  crash: () => never,
): Promise<unknown> {
  if (fault.when === 'after') await work();
  if (fault.kind === 'crash') crash();
  if (fault.kind === 'throw') throw fault.error ?? new Error('planned fault');
  return new Promise(() => {});
}
