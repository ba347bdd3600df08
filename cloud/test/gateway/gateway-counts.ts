import { gatewayLimit } from './gateway-limit.ts';

/** What the gateway did since its start. `since` an earlier `snapshot` gives what one pull cost. */
export class GatewayCounts {
  /** Handshakes answered 101, and others. */
  opened = 0;
  refused = 0;
  /** Messages from clients, and those of them that a MOCK route answered. */
  messages = 0;
  keepAlives = 0;
  /** Calls of @connections by method, whatever the answer. */
  posts = 0;
  gets = 0;
  deletes = 0;
  /** Answers of @connections by status that are not 2xx. */
  gone = 0;
  throttled = 0;
  failed = 0;
  /** "Internal server error" said to clients. */
  internalErrors = 0;
  /** Units of 32 KB in both directions. */
  billedUnits = 0;
  /** Invocations by function. */
  invocations: Record<string, number> = {};

  bill(bytes: number): void {
    this.billedUnits += Math.max(1, Math.ceil(bytes / gatewayLimit.unitBytes));
  }

  answered(status: number): void {
    if (status === 410) this.gone += 1;
    else if (status === 429) this.throttled += 1;
    else if (status >= 400) this.failed += 1;
  }

  invoked(name: string): void {
    this.invocations[name] = (this.invocations[name] ?? 0) + 1;
  }

  snapshot(): GatewayCounts {
    return Object.assign(new GatewayCounts(), this, { invocations: { ...this.invocations } });
  }

  since(before: GatewayCounts): GatewayCounts {
    const difference = new GatewayCounts();
    for (const [key, value] of Object.entries(this)) {
      const earlier = Reflect.get(before, key) as unknown;
      if (typeof value === 'number') Reflect.set(difference, key, value - Number(earlier));
    }
    for (const [name, count] of Object.entries(this.invocations)) {
      const more = count - (before.invocations[name] ?? 0);
      if (more > 0) difference.invocations[name] = more;
    }
    return difference;
  }
}
