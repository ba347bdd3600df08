import {
  CreateFunctionUrlConfigCommand,
  InvokeCommand,
  LambdaClient,
} from '@aws-sdk/client-lambda';
import type { RelayManifest } from '../relay-manifest.ts';
import { type CreatedFunctions, functionNamed } from './deploy-functions.ts';
import type { Ministack } from './ministack.ts';

/**
 * Resolves with the path at which ministack has the function's URL: `fetch` sets no `Host`. It is `BUFFERED`
 * whatever the manifest says: without an `awslambda` the function answers buffered, and ministack would pass such an
 * answer on as JSON text where the URL streams (as AWS would).
 */
export async function deployHttp(
  ministack: Ministack,
  { http }: RelayManifest,
  functions: CreatedFunctions,
): Promise<string> {
  const FunctionName = functionNamed(functions, http.function).name;
  const client = new LambdaClient(ministack.client);
  try {
    const { FunctionUrl } = await client.send(
      new CreateFunctionUrlConfigCommand({
        FunctionName,
        AuthType: 'NONE',
        InvokeMode: 'BUFFERED',
      }),
    );
    const id = FunctionUrl === undefined ? undefined : new URL(FunctionUrl).hostname.split('.')[0];
    if (id === undefined) throw new Error(`function ${FunctionName} got no URL`);
    return `/_aws/lambda-url/${id}`;
  } finally {
    client.destroy();
  }
}

/** Calls a function by its name on ministack, as a schedule does; resolves with its result. */
export async function invokeFunction(
  ministack: Ministack,
  FunctionName: string,
  event: unknown,
): Promise<unknown> {
  const client = new LambdaClient(ministack.client);
  try {
    const Payload = Buffer.from(JSON.stringify(event));
    const answer = await client.send(new InvokeCommand({ FunctionName, Payload }));
    const text = Buffer.from(answer.Payload ?? []).toString();
    if (answer.FunctionError !== undefined) throw new Error(`${FunctionName} failed: ${text}`);
    return text === '' ? undefined : JSON.parse(text);
  } finally {
    client.destroy();
  }
}
