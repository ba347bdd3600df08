/** What one pull used. */
export interface PullUse {
  /** WebSocket messages in units of 32 KB, both directions. */
  readonly units: number;
  readonly posts: number;
  /** Calls by function, http among them, and how long each was busy in all (milliseconds). */
  readonly calls: Readonly<Record<string, number>>;
  readonly busyMs: Readonly<Record<string, number>>;
  readonly reads: number;
  readonly writes: number;
}

export interface CostLine {
  readonly what: string;
  readonly dollars: number;
}

/** Dollars a million, us-east-1 in 2026-11 (AWS.md, "Costs"). */
const price = {
  unit: 1,
  call: 0.2,
  /** A million GB-s on arm64. */
  gigabyteSeconds: 13.3334,
  read: 0.125,
  write: 0.625,
};

/** What a million such pulls cost, a line a price that is not 0. `memoryMb`: by function, as in terraform/relay.json. */
export function costOfMillion(
  use: PullUse,
  memoryMb: Readonly<Record<string, number>>,
): readonly CostLine[] {
  const functions = Object.entries(use.calls).flatMap(([name, calls]): CostLine[] => {
    const ms = use.busyMs[name] ?? 0;
    const gigabytes = (memoryMb[name] ?? 0) / 1_024;
    return [
      { what: `${name}: ${counted(calls, 'call')}`, dollars: calls * price.call },
      {
        what: `${name}: ${gigabytes} GB for ${ms.toFixed(0)} ms`,
        dollars: (ms / 1_000) * gigabytes * price.gigabyteSeconds,
      },
    ];
  });
  const lines = [
    { what: `messages: ${use.units} units of 32 KB`, dollars: use.units * price.unit },
    ...functions,
    { what: `table: ${counted(use.reads, 'read')}`, dollars: use.reads * price.read },
    { what: `table: ${counted(use.writes, 'write')}`, dollars: use.writes * price.write },
  ];
  return lines.filter(({ dollars }) => dollars > 0);
}

const counted = (count: number, noun: string): string =>
  `${count} ${noun}${count === 1 ? '' : 's'}`;

/** A line a price, and the sum. */
export function costLines(lines: readonly CostLine[]): string[] {
  const width = Math.max(...lines.map(({ what }) => what.length), 'in all'.length);
  const line = ({ what, dollars }: CostLine): string =>
    `  ${what.padEnd(width)}  ${dollars.toFixed(2).padStart(7)}`;
  const all = lines.reduce((sum, { dollars }) => sum + dollars, 0);
  return [
    `  ${'a million pulls'.padEnd(width)}        $`,
    ...lines.map(line),
    line({ what: 'in all', dollars: all }),
  ];
}
