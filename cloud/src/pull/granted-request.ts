import type { AuthenticatedCaller } from '../auth/callers.ts';
import type { Exchange } from '../http/exchange.ts';
import type { Route } from '../http/routes.ts';
import type { PullableDevice } from './pull-target.ts';

/** A request that its caller may make. */
export interface GrantedRequest {
  readonly exchange: Exchange;
  readonly route: Extract<Route, { name: 'pull' }>;
  readonly caller: AuthenticatedCaller;
  readonly device: PullableDevice;
  /** Monotonic milliseconds. */
  readonly receivedAt: number;
  /** Milliseconds of its deadline that it has waited for its device. */
  readonly heldMs: number;
}
