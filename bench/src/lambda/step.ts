import { median } from '../report/median.ts';
import type { Mark } from './trace.ts';

/** One part of a pull's way: from the end of the one before until `until` happens. */
export interface Step {
  readonly name: string;
  readonly until: string;
  /** Ways over the network in it; each has the injected delay. */
  readonly hops: number;
}

/** A pull that finds everything open and known. What is named on both sides happens in the order of this list. */
export const warmSteps: readonly Step[] = [
  { name: 'caller → function URL → http begins', until: 'http begins', hops: 1 },
  { name: 'http: authenticates, looks up, signs', until: 'http posts', hops: 0 },
  { name: 'post → gateway → leaves for the agent', until: 'frame leaves for the agent', hops: 2 },
  { name: 'agent: checks, asks the upstream', until: 'upstream is asked', hops: 0 },
  { name: 'upstream answers', until: 'upstream answered', hops: 0 },
  { name: 'agent: makes the frame → gateway', until: 'frame of the agent arrives', hops: 0 },
  { name: 'gateway → message begins', until: 'message begins', hops: 2 },
  { name: 'message: checks whose reply it is', until: 'message posts', hops: 0 },
  {
    name: 'post → gateway → leaves for the channel',
    until: 'frame leaves for the channel',
    hops: 2,
  },
  { name: 'http: takes the reply, answers → caller', until: 'caller has all', hops: 0 },
];

export interface StepTime extends Step {
  readonly ms: number;
  /** Without what was injected. */
  readonly ownMs: number;
}

/**
 * What each step took.
 *
 * @throws Error where one of them did not happen, or not after the one before.
 */
export function stepTimes(
  startedAt: number,
  marks: readonly Mark[],
  steps: readonly Step[],
  delayMs: number,
): StepTime[] {
  let from = startedAt;
  let next = 0;
  return steps.map((step) => {
    const index = marks.findIndex(({ what }, at) => at >= next && what === step.until);
    const mark = marks[index];
    if (mark === undefined) throw new Error(`"${step.until}" did not happen in its turn`);
    const ms = mark.at - from;
    from = mark.at;
    next = index + 1;
    return { ...step, ms, ownMs: ms - step.hops * delayMs };
  });
}

/** The medians of several pulls, step by step. */
export function medianTimes(pulls: readonly (readonly StepTime[])[]): StepTime[] {
  const [first = []] = pulls;
  return first.map((step, index) => {
    const of = (field: 'ms' | 'ownMs') => median(pulls.map((pull) => pull[index]?.[field] ?? 0));
    return { ...step, ms: of('ms'), ownMs: of('ownMs') };
  });
}

/** A line a step, and the sum. */
export function stepLines(times: readonly StepTime[]): string[] {
  const sum = (field: 'ms' | 'ownMs' | 'hops') =>
    times.reduce((total, step) => total + step[field], 0);
  const width = Math.max(...times.map(({ name }) => name.length), 'in all'.length);
  const line = (name: string, ms: number, hops: number, ownMs: number): string =>
    `  ${name.padEnd(width)}  ${ms.toFixed(1).padStart(7)}  ${String(hops).padStart(4)}  ${ownMs.toFixed(1).padStart(7)}`;
  return [
    `  ${'step'.padEnd(width)}       ms  hops  without`,
    ...times.map(({ name, ms, hops, ownMs }) => line(name, ms, hops, ownMs)),
    line('in all', sum('ms'), sum('hops'), sum('ownMs')),
  ];
}
