import { routeOf } from '../src/http/routes.ts';
import type { GrantedRequest } from '../src/pull/granted-request.ts';
import { FakeExchange } from './fake-exchange.ts';

/** A request whose caller may do everything, at a device without links. */
export function grantedRequest(exchange = new FakeExchange()): GrantedRequest {
  const route = routeOf(exchange.target);
  if (route.name !== 'pull') throw new Error('not a pull');
  const grants = {
    allows: () => 'allowed' as const,
    uploads: () => 'allowed' as const,
    seesDevice: () => true,
    managesDevice: () => false,
  };
  const offline = { since: undefined, why: '' };
  return {
    exchange,
    route,
    caller: { id: 'k', name: 'ops', grants, credential: 'pullwire-key' },
    device: { device: route.device, labels: {}, targets: [], offline },
    receivedAt: 0,
    heldMs: 0,
  };
}
