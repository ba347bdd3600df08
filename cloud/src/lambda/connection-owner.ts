import { devicePattern, instancePattern } from '@pullwire/shared';
import type { GatewayConnection } from '../session/gateway-link.ts';
import type { WebSocketRequestContext } from './event.ts';

/** Whose connection it is, by the authorizer's word: an agent's link, or a reply channel of ours. */
export type ConnectionOwner =
  | { readonly role: 'agent'; readonly link: GatewayConnection }
  | { readonly role: 'channel' };

/**
 * Reads what the authorizer said at the handshake.
 *
 * @throws Error where it said nothing: the API has a route that no authorizer guards.
 */
export function ownerOf(context: WebSocketRequestContext): ConnectionOwner {
  const { connectionId, connectedAt, authorizer } = context;
  const { role, device, instance } = authorizer ?? {};
  if (role === 'channel') return { role };
  const known =
    role === 'agent' &&
    typeof device === 'string' &&
    devicePattern.test(device) &&
    typeof instance === 'string' &&
    instancePattern.test(instance);
  if (!known) throw new Error('the connection has no authorizer context: is $connect authorized?');
  const { publicKey, rotationAsked } = authorizer ?? {};
  return {
    role,
    link: {
      connectionId,
      connectedAt,
      identity: { device, instance },
      // An issuer's token stands in the place of a key there, and no key follows it.
      ...(typeof publicKey === 'string' && publicKey.startsWith('ed25519:') ? { publicKey } : {}),
      ...(String(rotationAsked) === 'true' ? { rotationAsked: true } : {}),
    },
  };
}
