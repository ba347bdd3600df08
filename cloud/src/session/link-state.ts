/** PROTOCOL.md, "States of a link": the relay's side. */
export const linkStates = ['greeting', 'open', 'draining', 'closed'] as const;
export type LinkState = (typeof linkStates)[number];

/**
 * What can happen to a link at the relay. From the agent: `hello`, one that is not this link's (`wrong-hello`), a frame
 * about a pull (`reply`), `reading`, `drain`, `keep-alive`, `rotate`, an action that is not known, `bye`. Here: no hello in
 * time (`silence`), far more messages than pulls need (`flood`), the relay's own word (`end`), the end of the socket (`lost`).
 */
export const linkEvents = [
  'hello',
  'wrong-hello',
  'reply',
  'reading',
  'drain',
  'keep-alive',
  'rotate',
  'unknown',
  'bye',
  'silence',
  'flood',
  'end',
  'lost',
] as const;
export type LinkEvent = (typeof linkEvents)[number];

/** What the session does about it. */
export type LinkDeed =
  /** Says `welcome`: pulls may come. */
  | 'open'
  /** Says `welcome` again, by the newer terms. */
  | 'describe'
  /** Hands the frame to whoever waits for it. */
  | 'pass on'
  /** Gives the link no new pulls. */
  | 'drain'
  /** Does what the message asks for; that is no matter of states. */
  | 'answer'
  /** Says `bye protocol-error`, and closes. */
  | 'refuse'
  /** Says `bye` with its reason, and closes. */
  | 'dismiss'
  /** Closes as the agent said, without a `bye` of its own. */
  | 'let go'
  /** Knows that it is over. */
  | 'note'
  | 'nothing';

export interface LinkStep {
  readonly state: LinkState;
  readonly does: LinkDeed;
}

const ends = (does: LinkDeed): LinkStep => ({ state: 'closed', does });

/** Once a link is greeted, its end comes the same way whatever it does. */
const endOfGreeted = {
  'wrong-hello': ends('dismiss'),
  bye: ends('let go'),
  flood: ends('dismiss'),
  end: ends('dismiss'),
  lost: ends('note'),
} as const;

const greeted = (state: 'open' | 'draining') =>
  ({
    ...endOfGreeted,
    hello: { state, does: 'describe' },
    reply: { state, does: 'pass on' },
    reading: { state, does: 'answer' },
    'keep-alive': { state, does: 'answer' },
    rotate: { state, does: 'answer' },
    unknown: { state, does: 'answer' },
    silence: { state, does: 'nothing' },
  }) as const;

const over: LinkStep = { state: 'closed', does: 'nothing' };

/** A cell that is missing does not compile. */
const steps: Readonly<Record<LinkState, Readonly<Record<LinkEvent, LinkStep>>>> = {
  greeting: {
    ...endOfGreeted,
    hello: { state: 'open', does: 'open' },
    reply: ends('refuse'),
    reading: ends('refuse'),
    drain: ends('refuse'),
    'keep-alive': ends('refuse'),
    rotate: ends('refuse'),
    unknown: ends('refuse'),
    silence: ends('dismiss'),
  },
  open: { ...greeted('open'), drain: { state: 'draining', does: 'drain' } },
  draining: { ...greeted('draining'), drain: { state: 'draining', does: 'nothing' } },
  closed: {
    hello: over,
    'wrong-hello': over,
    reply: over,
    reading: over,
    drain: over,
    'keep-alive': over,
    rotate: over,
    unknown: over,
    bye: over,
    silence: over,
    flood: over,
    end: over,
    lost: over,
  },
};

/** What becomes of a link in this state, and what its session does. */
export function linkStep(state: LinkState, event: LinkEvent): LinkStep {
  return steps[state][event];
}
