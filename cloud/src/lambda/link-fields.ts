import type { GatewayConnection } from '../session/gateway-link.ts';

/** Whose link it is, as every line of the log about a link says it. */
export function linkFields({ connectionId, identity }: GatewayConnection) {
  const { device, instance } = identity;
  return { device, instance, connectionId };
}
