import type { LinkEnd } from './redial-policy.ts';
import { describeEnd } from './redial-policy.ts';

/** The relay will never take this agent again. */
export interface FinalRefusal {
  /** In a few words. */
  readonly reason: string;
  /** A sentence or two for people: what, by whom, the relay's own words, and what to do. */
  readonly text: string;
  readonly exitCode: number;
}

export interface RefusedLink {
  readonly end: LinkEnd;
  /** The relay's own words, cleaned; undefined where it gave none. */
  readonly remark: string | undefined;
  readonly device: string;
  /** As it was dialled. */
  readonly url: string;
}

/** What to print when the agent ends for good. */
export function describeRefusal({ end, remark, device, url }: RefusedLink): string {
  const { host } = new URL(url);
  const { what, cure } = verdictOn(end, device);
  const words = remark === undefined ? '' : ` The relay says: "${remark}".`;
  return `${what}, by the relay at ${host} (${describeEnd(end)}).${words} ${cure}`;
}

/** What to do about it. */
export const cureOf = (end: LinkEnd, device: string): string => verdictOn(end, device).cure;

interface Verdict {
  readonly what: string;
  readonly cure: string;
}

function verdictOn(end: LinkEnd, device: string): Verdict {
  switch (sortOf(end)) {
    case 'unsupported-version':
      return {
        what: 'This agent was refused for its version of the protocol',
        cure: 'Agent and relay must speak the same one: update the older of the two.',
      };
    case 'device-mismatch':
      return {
        what: `This agent was refused because it does not speak for the device ${device}`,
        cure: 'The token and the settings "device" and "instance" must name the same: correct the settings.',
      };
    default:
      return {
        what: `The device ${device} was revoked`,
        cure:
          'Only an operator of the relay lets it in again: ask for a new enrolment code ' +
          `(pullwire-relay enroll-code --device ${device} --replace) and run: pullwire-agent enroll.`,
      };
  }
}

/** Of a `bye` that was lost on the way only the close code is left (PROTOCOL.md, "Closing"). */
function sortOf(end: LinkEnd): string {
  if (end.cause === 'bye') return end.code;
  if (end.cause === 'closed' && end.closeCode === 4003) return 'unsupported-version';
  if (end.cause === 'closed' && end.closeCode === 4004) return 'device-mismatch';
  return 'revoked';
}
