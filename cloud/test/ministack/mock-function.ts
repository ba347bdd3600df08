import { zipSync } from 'fflate';
import type { MockRoute, RelayManifest } from '../relay-manifest.ts';
import { type CreatedFunction, createFunction } from './deploy-functions.ts';
import type { Ministack } from './ministack.ts';

/**
 * Renders `$context.…` of a response template, as API Gateway does for a MOCK integration. It says a word each time:
 * ministack waits 50 ms for one after each invocation.
 */
const code = `
const template = process.env.RESPONSE_TEMPLATE;
export const handler = async ({ requestContext }) => {
  console.log(requestContext.routeKey);
  const body = template.replace(/\\$context\\.(\\w+)/g, (_, name) => requestContext[name]);
  return { statusCode: 200, body };
};
`;

/** Stands in for a MOCK integration, which ministack answers with the template as it is written. */
export function createMockFunction(
  ministack: Ministack,
  manifest: RelayManifest,
  name: string,
  { responseTemplate }: MockRoute,
): Promise<CreatedFunction> {
  const zip = zipSync({ 'index.mjs': new TextEncoder().encode(code) });
  return createFunction(ministack, zip, {
    name,
    runtime: manifest.runtime,
    architecture: manifest.architecture,
    handler: 'index.handler',
    timeoutSeconds: 29,
    memoryMb: 128,
    environment: { RESPONSE_TEMPLATE: responseTemplate },
  });
}
