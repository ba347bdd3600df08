import { type CaseName, cases } from '../case.ts';
import type { IdleLinkCost } from '../idle-link/idle-link-cost.ts';
import { type Figure, findFigure, rateOf } from './figure.ts';

/** What is promised of ours in the clear, and what was measured. */
export interface Target {
  readonly what: string;
  readonly bound: 'at least' | 'at most';
  readonly limit: number;
  readonly measured: number;
  readonly passed: boolean;
}

/** Of the nginx proxy's rate in the same run. */
const ratios: readonly (readonly [CaseName, number])[] = [
  ['200b-1', 0.28],
  ['200b-32', 0.3],
  ['10kb-32', 0.25],
  ['1mb-8', 0.25],
  ['100mb', 0.25],
];
const cpuSecondsPer10kRequests = 1.2;
const idleLinkKilobytes = 30;

/** The targets that this run can tell about. One whose case had errors is not met, whatever its rate. */
export function targetsOf(
  figures: readonly Figure[],
  idleLinks: readonly IdleLinkCost[],
): Target[] {
  const targets: Target[] = [];
  for (const [name, limit] of ratios) {
    const ours = findFigure(figures, 'pullwire', name);
    const proxy = findFigure(figures, 'nginx', name);
    if (ours === undefined || proxy === undefined) continue;
    const measured = rateOf(ours) / rateOf(proxy);
    const what = `${cases[name].title}, of the nginx proxy's rate`;
    targets.push(target({ what, bound: 'at least', limit, measured }, ours.errors));
  }
  const load = findFigure(figures, 'pullwire', '200b-32');
  if (load !== undefined) {
    const what = 'CPU seconds of relay and agent for 10,000 requests';
    const measured = load.cpuSecondsPer10kRequests;
    const limit = cpuSecondsPer10kRequests;
    targets.push(target({ what, bound: 'at most', limit, measured }, load.errors));
  }
  const idle = idleLinks.find(({ system }) => system === 'pullwire');
  if (idle !== undefined) {
    const what = `KB of the relay's memory for an idle link, of ${idle.links}`;
    const measured = idle.perLinkBytes / 1_000;
    targets.push(target({ what, bound: 'at most', limit: idleLinkKilobytes, measured }, 0));
  }
  return targets;
}

function target(of: Omit<Target, 'passed'>, errors: number): Target {
  const { bound, limit, measured } = of;
  const within = bound === 'at least' ? measured >= limit : measured <= limit;
  return { ...of, passed: within && errors === 0 };
}

/** A run that can tell about none has not met them. */
export function allMet(targets: readonly Target[]): boolean {
  return targets.length > 0 && targets.every(({ passed }) => passed);
}

/** A line for people. */
export function targetLine({ what, bound, limit, measured, passed }: Target): string {
  return `${passed ? 'pass' : 'MISS'}  ${measured.toFixed(2)}  (${bound} ${limit.toFixed(2)})  ${what}`;
}
