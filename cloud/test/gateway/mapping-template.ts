import { randomUUID } from 'node:crypto';
import type { GatewayConnection } from './gateway-connection.ts';

/**
 * Fills `$context.…` into a MOCK route's response template ("API Gateway mapping template and access logging variable
 * reference"). Throws at a variable that it does not know: nothing is sent that AWS would send otherwise.
 */
export function renderTemplate(
  template: string,
  connection: GatewayConnection,
  routeKey: string,
): string {
  const context: Readonly<Record<string, string>> = {
    connectionId: connection.id,
    connectedAt: String(connection.connectedAt),
    routeKey,
    requestId: randomUUID(),
    eventType: 'MESSAGE',
  };
  return template.replaceAll(/\$(?:\{([\w.]+)\}|([\w.]+)|(?=.))/g, (all, braced, plain) => {
    const [root, name = ''] = String(braced ?? plain ?? '').split('.', 2);
    const value = root === 'context' && Object.hasOwn(context, name) ? context[name] : undefined;
    if (value === undefined)
      throw new Error(`the template has a variable that is not played: ${all}`);
    return value;
  });
}
