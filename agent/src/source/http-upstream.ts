import type { Clock } from '@pullwire/shared';
import type { HttpLimits } from './http-config.ts';

/** What the exchanges of one source have in common. */
export interface HttpUpstream {
  /** The source's name. */
  readonly name: string;
  /** Where it is, for people. */
  readonly label: string;
  readonly isSecure: boolean;
  readonly limits: HttpLimits;
  readonly clock: Clock;
}

/** How far an exchange came: no connection yet, no head yet, or in the body. */
export type HttpPhase = 'connecting' | 'waiting' | 'streaming';
