import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Clock, systemClock } from '@pullwire/shared';
import { type FunctionUrlSwitches, functionUrlDefaults } from './function-url-switches.ts';
import { Hop } from './hop.ts';
import type { LambdaEmulator } from './lambda-emulator.ts';
import { LambdaError } from './lambda-error.ts';
import { readBody } from './read-body.ts';
import { ResponseStream } from './response-stream.ts';
import { UrlAnswer } from './url-answer.ts';
import { urlEvent } from './url-event.ts';

/** Bytes of a request's body; as base64 it must also fit into the event ("Lambda quotas"). */
const requestBytes = 6 * 1024 * 1024;

const tooLarge = 'Request must be smaller than 6291456 bytes for the InvokeFunction operation';

export interface FunctionUrlOptions {
  readonly emulator: LambdaEmulator;
  readonly clock?: Clock;
  /** Injected before each invocation. */
  readonly delayMs?: number;
  readonly switches?: Partial<FunctionUrlSwitches>;
}

/** A function URL without IAM, on a free loopback port: HTTP in, payload format 2.0 to the function. */
export class FunctionUrl {
  readonly #options: FunctionUrlOptions;
  readonly #switches: FunctionUrlSwitches;
  readonly #clock: Clock;
  readonly #hop: Hop;
  readonly #server: Server;

  private constructor(options: FunctionUrlOptions) {
    this.#options = options;
    this.#switches = { ...functionUrlDefaults, ...options.switches };
    this.#clock = options.clock ?? systemClock;
    this.#hop = new Hop({ clock: this.#clock, delayMs: options.delayMs ?? 0, seed: undefined });
    this.#server = createServer({ keepAliveTimeout: 60_000 });
  }

  static async start(options: FunctionUrlOptions): Promise<FunctionUrl> {
    const url = new FunctionUrl(options);
    url.#server.on('request', (request, response) => void url.#answer(request, response));
    url.#server.listen(0, '127.0.0.1');
    await once(url.#server, 'listening');
    return url;
  }

  /** `http://127.0.0.1:port`, without a slash at the end. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.#server.close();
    this.#server.closeAllConnections();
    await once(this.#server, 'close');
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const answer = new UrlAnswer(response, this.#switches);
    try {
      const body = await readBody(request, requestBytes);
      if (body === undefined) return answer.failed(413, tooLarge);
      await this.#hop.pass();
      const stream = new ResponseStream(answer);
      const event = urlEvent(request, body, this.#clock.wall());
      const result = await this.#options.emulator.invoke(event, stream);
      if (!stream.begun) answer.returned(result);
    } catch (error) {
      answer.failed(...serviceAnswer(error));
    }
  }
}

function serviceAnswer(error: unknown): [number, string] {
  if (error instanceof LambdaError) {
    if (error.kind === 'throttled') return [429, 'Rate Exceeded.'];
    if (error.kind === 'event-too-large') return [413, tooLarge];
  }
  return [502, 'Internal Server Error'];
}
