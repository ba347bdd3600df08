import type { Writable } from 'node:stream';
import { markStreaming, type StreamingHandler } from './lambda-handler.ts';
import { ResponseStream } from './response-stream.ts';

/** The content type by which a function URL knows that a head precedes the body. */
export const httpIntegration = 'application/vnd.awslambda.http-integration-response';

/** Between the head and the body. */
const preludeDelimiter = new Uint8Array(8);

/** The global of Lambda's Node runtime, as far as a function uses it. */
export interface AwsLambda {
  streamifyResponse(handler: StreamingHandler): StreamingHandler;
  readonly HttpResponseStream: {
    /** `prelude` is `{statusCode, headers, cookies}`; it goes out with the first `write`. */
    from(stream: Writable, prelude: unknown): Writable;
  };
}

export function createAwsLambda(): AwsLambda {
  return {
    streamifyResponse: markStreaming,
    HttpResponseStream: {
      from: (stream, prelude) => {
        if (!(stream instanceof ResponseStream))
          throw new TypeError('not the stream of this runtime');
        stream.setContentType(httpIntegration);
        stream.beforeFirstWrite([Buffer.from(JSON.stringify(prelude)), preludeDelimiter]);
        return stream;
      },
    },
  };
}

/** Makes it the process's global, as on Lambda. Returns what takes it away again. */
export function installAwsLambda(awslambda: AwsLambda = createAwsLambda()): () => void {
  const before = Object.getOwnPropertyDescriptor(globalThis, 'awslambda');
  Object.defineProperty(globalThis, 'awslambda', { value: awslambda, configurable: true });
  return () => {
    if (before === undefined) Reflect.deleteProperty(globalThis, 'awslambda');
    else Object.defineProperty(globalThis, 'awslambda', before);
  };
}
