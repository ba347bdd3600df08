import type { AwsWorld } from '../../cloud/test/aws/aws-world.ts';
import { Prelude } from '../../cloud/test/gateway/prelude.ts';
import { ResponseStream } from '../../cloud/test/gateway/response-stream.ts';

export interface RestRequest {
  readonly method: string;
  /** As it came, percent-encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
  /** Decoded, as a REST API gives it. */
  readonly query?: Readonly<Record<string, readonly string[]>>;
  readonly body?: Buffer;
}

export interface RestAnswer {
  readonly statusCode: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
  readonly body: Buffer;
}

/**
 * Calls the http function as a REST API with response streaming does ("Set up a Lambda proxy integration with payload
 * response streaming in API Gateway"): a proxy event in, a head, eight zero bytes and the body out.
 */
export async function askByRest(aws: AwsWorld, request: RestRequest): Promise<RestAnswer> {
  const chunks: Uint8Array[] = [];
  const stream = new ResponseStream({
    begin: () => undefined,
    write: async (bytes) => {
      chunks.push(bytes);
    },
    end: () => undefined,
  });
  await aws.http.invoke(restEvent(request), stream);
  const taken = new Prelude().take(Buffer.concat(chunks));
  if (taken === undefined) throw new Error('the answer has no head');
  return { ...taken.head, body: taken.rest };
}

function restEvent({ method, path, headers, query, body }: RestRequest): Record<string, unknown> {
  const last = (fields: RestRequest['headers']) =>
    Object.fromEntries(Object.entries(fields).map(([name, values]) => [name, values.at(-1)]));
  return {
    resource: '/{path+}',
    path,
    httpMethod: method,
    headers: last(headers),
    multiValueHeaders: headers,
    queryStringParameters: query === undefined ? null : last(query),
    multiValueQueryStringParameters: query ?? null,
    pathParameters: { path: decodeURIComponent(path.slice(1)) },
    stageVariables: null,
    requestContext: { stage: 'prod', path: `/prod${path}`, httpMethod: method, apiId: 'strict' },
    body: body === undefined ? null : body.toString('base64'),
    isBase64Encoded: body !== undefined,
  };
}
