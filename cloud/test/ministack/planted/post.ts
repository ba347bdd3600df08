import {
  ApiGatewayManagementApiClient,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';

export function connectionsUrl(): string {
  return process.env['PULLWIRE_CONNECTIONS_URL'] ?? 'http://127.0.0.1:1/missing';
}

/** What the gateway answers to a post: a status, and the error's name where it is one. */
export async function postStatus(ConnectionId: string, text: string): Promise<string> {
  const client = new ApiGatewayManagementApiClient({ endpoint: connectionsUrl(), maxAttempts: 1 });
  try {
    const answer = await client.send(
      new PostToConnectionCommand({ ConnectionId, Data: Buffer.from(text) }),
    );
    return String(answer.$metadata.httpStatusCode);
  } catch (error) {
    const { name, $metadata } = error as { name: string; $metadata?: { httpStatusCode?: number } };
    return `${$metadata?.httpStatusCode} ${name}`;
  }
}
