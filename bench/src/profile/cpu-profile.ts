/** A V8 CPU profile, as `node --cpu-prof` writes it (Chrome DevTools Protocol, Profiler.Profile); microseconds. */
export interface CpuProfile {
  readonly nodes: readonly ProfileNode[];
  /** On the clock of `process.hrtime`, so that of all processes of a machine. */
  readonly startTime: number;
  readonly endTime: number;
  /** Node ids, one each sample. */
  readonly samples: readonly number[];
  /** From the sample before (at first from `startTime`) to this one. */
  readonly timeDeltas: readonly number[];
}

export interface ProfileNode {
  readonly id: number;
  readonly callFrame: CallFrame;
  readonly children?: readonly number[];
}

export interface CallFrame {
  readonly functionName: string;
  /** Empty for native code. */
  readonly url: string;
  /** Both from 0. */
  readonly lineNumber: number;
  readonly columnNumber: number;
}

export interface TimeWindow {
  readonly from: number;
  readonly to: number;
}

/** Time in one frame itself, with those that called it, the caller first. */
export interface SelfTime {
  readonly frame: CallFrame;
  readonly callers: readonly CallFrame[];
  readonly micros: number;
}

/** Where the samples within the window fell. A sample stands for the time until the next one. */
export function selfTimes(profile: CpuProfile, window: TimeWindow): SelfTime[] {
  const micros = microsByNode(profile, window);
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map<number, ProfileNode>();
  for (const node of profile.nodes)
    for (const child of node.children ?? []) parents.set(child, node);
  return [...micros].flatMap(([id, time]) => {
    const node = nodes.get(id);
    if (node === undefined) return [];
    return { frame: node.callFrame, callers: callersOf(id, parents), micros: time };
  });
}

function microsByNode(profile: CpuProfile, { from, to }: TimeWindow): Map<number, number> {
  const { samples, timeDeltas } = profile;
  const micros = new Map<number, number>();
  let at = profile.startTime;
  for (const [index, id] of samples.entries()) {
    at += timeDeltas[index] ?? 0;
    const until = at + (timeDeltas[index + 1] ?? profile.endTime - at);
    const within = Math.min(until, to) - Math.max(at, from);
    if (within > 0) micros.set(id, (micros.get(id) ?? 0) + within);
  }
  return micros;
}

function callersOf(id: number, parents: ReadonlyMap<number, ProfileNode>): CallFrame[] {
  const callers: CallFrame[] = [];
  for (let at = parents.get(id); at !== undefined; at = parents.get(at.id))
    callers.push(at.callFrame);
  return callers;
}
