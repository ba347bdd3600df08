import { DynamoDBClient, QueryCommand } from '@aws-sdk/client-dynamodb';
import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm';
import type { BufferedHttpResult, HttpEvent } from '../../../src/lambda/event.ts';
import { postStatus } from './post.ts';

type Route = (event: HttpEvent) => Promise<unknown>;

const routes: Readonly<Record<string, Route>> = {
  '/node': async () => ({
    version: process.versions.node,
    streams: 'streamifyResponse' in ((globalThis as { awslambda?: object }).awslambda ?? {}),
    variables: Object.keys(process.env).filter((name) => name.startsWith('PULLWIRE_')),
  }),
  '/secret': async () => {
    const Name = process.env['PULLWIRE_SECRET'];
    const answer = await new SSMClient({}).send(
      new GetParameterCommand({ Name, WithDecryption: true }),
    );
    return { type: answer.Parameter?.Type, length: answer.Parameter?.Value?.length };
  },
  '/seen': async ({ rawQueryString }) => {
    const answer = await new DynamoDBClient({}).send(
      new QueryCommand({
        TableName: process.env['PULLWIRE_TABLE'],
        KeyConditionExpression: 'pk = :kind',
        ExpressionAttributeValues: { ':kind': { S: rawQueryString.replace('=', '') } },
        ConsistentRead: true,
      }),
    );
    return answer.Items?.map((item) => JSON.parse(item['saw']?.S ?? 'null') as unknown);
  },
  '/bucket': async () => {
    const url = `${process.env['AWS_ENDPOINT_URL']}/${process.env['PULLWIRE_BUCKET']}/replies/one`;
    const put = await fetch(url, { method: 'PUT', body: 'an object' });
    const got = await fetch(url);
    return { put: put.status, got: await got.text() };
  },
  '/post': async (event) => {
    const { to, text } = JSON.parse(event.body ?? '{}') as { to: string; text: string };
    return { status: await postStatus(to, text) };
  },
};

/** Answers buffered, as a function does where no `awslambda` is. Elsewhere it answers with its event. */
export async function handler(event: HttpEvent): Promise<BufferedHttpResult> {
  if (event.rawPath === '/bytes') return bytes;
  const said = (await routes[event.rawPath]?.(event)) ?? event;
  return {
    statusCode: 200,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(said),
    isBase64Encoded: false,
  };
}

const bytes: BufferedHttpResult = {
  statusCode: 206,
  headers: { 'content-type': 'image/png', 'x-twice': 'a, b' },
  cookies: ['a=1', 'b=2'],
  body: Buffer.from([0, 255, 128, 10]).toString('base64'),
  isBase64Encoded: true,
};
