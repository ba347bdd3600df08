import type { Clock, Hello, Subprotocol } from '@pullwire/shared';
import type { Logger } from 'pino';
import type { PullReceiver } from '../pull/pull-link.ts';
import type { ReadingReceiver } from '../reading/reading-link.ts';
import type { FinalRefusal } from './final-refusal.ts';
import type { LinkKeys } from './link-keys.ts';
import type { LinkPace } from './link-pace.ts';
import type { Dial } from './link-socket.ts';
import type { LinkState } from './link-state.ts';
import type { RedialSettings } from './redial-policy.ts';

/** PROTOCOL.md, "States of a link". */
export type AgentLinkState = 'dialling' | LinkState;

export interface AgentLinkOptions {
  readonly url: string;
  /** In order of preference; none: no subprotocol is offered, and the link speaks JSON. */
  readonly subprotocols: readonly Subprotocol[];
  readonly hello: Hello;
  readonly receiver: PullReceiver;
  /** Absent: this agent sends no readings. */
  readonly readings?: ReadingReceiver | undefined;
  /**
   * What an attempt dials with, made anew for each: the token is good for minutes. `now` is the relay's time as far as
   * it is known, in milliseconds since the epoch: tokens are signed by it.
   */
  dial(now: number): Promise<Omit<Dial, 'clock' | 'handshakeMs' | 'closeMs'>>;
  /** Absent where the device has no key of its own: it cannot be changed then (feature `rotate`). */
  readonly keys?: LinkKeys | undefined;
  readonly redial: RedialSettings;
  readonly pace: LinkPace;
  readonly limits: LinkTimeLimits;
  readonly clock: Clock;
  /** In [0, 1). */
  random(): number;
  /** Unique, 16–64 characters of base64url. */
  newRun(): string;
  readonly logger: Logger;
  onState?(state: AgentLinkState): void;
  /** The link has stopped for good, by the relay's word. */
  onFinal(refusal: FinalRefusal): void;
}

export interface LinkTimeLimits {
  /** For an attempt as a whole. */
  readonly handshakeMs: number;
  /** For the relay's `welcome`. */
  readonly welcomeMs: number;
  /** For pulls under way when the agent stops. */
  readonly drainMs: number;
  /** For a closing handshake. */
  readonly closeMs: number;
}
