/** PROTOCOL.md, "States of a link": the agent's side, from the 101 on. */
export const linkStates = ['greeting', 'open', 'draining', 'closed'] as const;
export type LinkState = (typeof linkStates)[number];

/**
 * What can happen to a link at the agent. From the relay: `welcome`, one of another version (`wrong-welcome`), a frame
 * about a pull (`pull`), its wish for the next link (`relay-drain`), what is of no state's concern (`other`), an action
 * that is not known, `bye`. Here: no `welcome` in time (`silence`), the agent wants no new pulls (`drain`), its own last
 * word, whatever the reason (`end`), the end of the socket (`lost`).
 */
export const linkEvents = [
  'welcome',
  'wrong-welcome',
  'pull',
  'relay-drain',
  'other',
  'unknown',
  'bye',
  'silence',
  'drain',
  'end',
  'lost',
] as const;
export type LinkEvent = (typeof linkEvents)[number];

/** What the link does about it. */
export type LinkDeed =
  /** Takes pulls from now on. */
  | 'open'
  /** Goes on by the newer terms. */
  | 'renew'
  /** Hands the frame to the pulls. */
  | 'pass on'
  /** Has the next link dialled. */
  | 'heed'
  | 'answer'
  | 'count'
  /** Says `drain`. */
  | 'say'
  /** Says `bye protocol-error`, and closes. */
  | 'refuse'
  /** Says `bye` with its reason, and closes. */
  | 'dismiss'
  /** Closes as the relay said. */
  | 'let go'
  | 'note'
  | 'nothing';

export interface LinkStep {
  readonly state: LinkState;
  readonly does: LinkDeed;
}

const ends = (does: LinkDeed): LinkStep => ({ state: 'closed', does });

const endOfAny = {
  'wrong-welcome': ends('dismiss'),
  bye: ends('let go'),
  end: ends('dismiss'),
  lost: ends('note'),
} as const;

const greeted = (state: 'open' | 'draining') =>
  ({
    ...endOfAny,
    welcome: { state, does: 'renew' },
    pull: { state, does: 'pass on' },
    'relay-drain': { state: 'draining', does: 'heed' },
    other: { state, does: 'answer' },
    unknown: { state, does: 'count' },
    silence: { state, does: 'nothing' },
    drain: { state: 'draining', does: 'say' },
  }) as const;

const over: LinkStep = { state: 'closed', does: 'nothing' };

/** A cell that is missing does not compile. */
const steps: Readonly<Record<LinkState, Readonly<Record<LinkEvent, LinkStep>>>> = {
  greeting: {
    ...endOfAny,
    welcome: { state: 'open', does: 'open' },
    pull: ends('refuse'),
    'relay-drain': ends('refuse'),
    other: ends('refuse'),
    unknown: { state: 'greeting', does: 'count' },
    silence: ends('dismiss'),
    drain: { state: 'greeting', does: 'nothing' },
  },
  open: greeted('open'),
  draining: greeted('draining'),
  closed: {
    welcome: over,
    'wrong-welcome': over,
    pull: over,
    'relay-drain': over,
    other: over,
    unknown: over,
    bye: over,
    silence: over,
    drain: over,
    end: over,
    lost: over,
  },
};

/** What becomes of a link in this state, and what it does. */
export function linkStep(state: LinkState, event: LinkEvent): LinkStep {
  return steps[state][event];
}
