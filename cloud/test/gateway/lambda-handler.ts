import type { LambdaContext } from '../../src/lambda/event.ts';
import type { ResponseStream } from './response-stream.ts';

/** `never` as the event: a handler of any one event type fits. */
export type PlainHandler = (event: never, context: LambdaContext) => Promise<unknown>;

export type StreamingHandler = (
  event: never,
  stream: ResponseStream,
  context: LambdaContext,
) => Promise<unknown>;

export type LambdaHandler = PlainHandler | StreamingHandler;

/** By this the runtime knows a handler that streams (aws-lambda-nodejs-runtime-interface-client, UserFunction.js). */
const streamingMark = Symbol.for('aws.lambda.runtime.handler.streaming');

/** Marks a handler as one that streams, as `awslambda.streamifyResponse` does. */
export function markStreaming(handler: StreamingHandler): StreamingHandler {
  return Object.assign(handler, { [streamingMark]: 'response' });
}

export function isStreaming(handler: LambdaHandler): handler is StreamingHandler {
  return streamingMark in handler;
}
