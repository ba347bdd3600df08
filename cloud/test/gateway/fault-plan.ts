/** A call of @connections, as a fault may look at it. */
export interface ManagementCall {
  readonly method: string;
  readonly connectionId: string;
  /** Text of a post; empty otherwise. */
  readonly text: string;
}

export interface CallFault {
  /** 410, 429, 413, 403, 400 or 500; 0 breaks the connection without an answer. */
  readonly status: number;
  /** Which calls it is for; every one unless said. */
  readonly when?: (call: ManagementCall) => boolean;
  /** How many calls it is for; one unless said. */
  readonly times?: number;
  /** Whether the call is carried out all the same, and only its answer is lost. */
  readonly carriedOut?: boolean;
}

interface Planned {
  readonly fault: CallFault;
  left: number;
}

/** What goes wrong at the gateway's two doors, as the test plans it. Functions have their own (`LambdaEmulator`). */
export class FaultPlan {
  #calls: Planned[] = [];
  #upgrades: number[] = [];

  /** Fails the next call of @connections that `when` lets through. */
  failCall(fault: CallFault): void {
    this.#calls.push({ fault, left: fault.times ?? 1 });
  }

  /** Answers the next handshakes with `status`, before the authorizer: 429 over 500 a second. */
  failUpgrade(status: number, times = 1): void {
    for (let i = 0; i < times; i += 1) this.#upgrades.push(status);
  }

  /** How many faults have not been met yet. */
  get pending(): number {
    return this.#calls.reduce((sum, planned) => sum + planned.left, this.#upgrades.length);
  }

  call(call: ManagementCall): CallFault | undefined {
    const planned = this.#calls.find(({ fault }) => fault.when?.(call) ?? true);
    if (planned === undefined) return undefined;
    planned.left -= 1;
    if (planned.left <= 0) this.#calls = this.#calls.filter((each) => each !== planned);
    return planned.fault;
  }

  upgrade(): number | undefined {
    return this.#upgrades.shift();
  }
}
