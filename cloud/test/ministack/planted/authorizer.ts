import type { AuthorizerEvent, AuthorizerResult } from '../../../src/lambda/event.ts';

/** Lets in whoever says "agent" and a device, and fails in the ways that an authorizer can fail. */
export async function handler(event: AuthorizerEvent): Promise<AuthorizerResult> {
  const said = event.headers?.['authorization'] ?? event.headers?.['Authorization'] ?? '';
  const [how, device = 'nobody'] = said.split(' ');
  if (how === 'unauthorized') throw new Error('Unauthorized');
  if (how === 'crash') throw new Error('the authorizer is down');
  return {
    principalId: device,
    policyDocument: {
      Version: '2012-10-17',
      Statement: [
        {
          Action: 'execute-api:Invoke',
          Effect: how === 'agent' ? 'Allow' : 'Deny',
          Resource: event.methodArn,
        },
      ],
    },
    context: { role: 'agent', device, level: 7, known: true },
  };
}
