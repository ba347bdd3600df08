import type { ServerResponse } from 'node:http';
import type { Writable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import type { BufferedHttpResult, HttpResultHead } from '../../src/lambda/event.ts';
import { httpIntegration } from './aws-lambda.ts';
import type { FunctionUrlSwitches } from './function-url-switches.ts';
import { answerHead, Prelude } from './prelude.ts';
import type { StreamSink } from './response-stream.ts';

/** How the answer is framed is the service's own affair: what the function says of it arrives under another name. */
const framing = new Set([
  'connection',
  'content-length',
  'keep-alive',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/** Others that arrive under another name, by the switch. */
const remapped = new Set(['date', 'server', 'www-authenticate']);

/** The answer at a function URL: streamed by the function, returned by it, or an error of the service. */
export class UrlAnswer implements StreamSink {
  readonly #response: ServerResponse;
  readonly #switches: FunctionUrlSwitches;
  readonly #left = Promise.withResolvers<void>();
  #prelude: Prelude | undefined;
  /** Nothing more is said: a function that was ended may write on. */
  #over = false;
  #body: Writable;

  constructor(response: ServerResponse, switches: FunctionUrlSwitches) {
    this.#response = response;
    this.#switches = switches;
    this.#body = response;
    response.once('close', () => this.#left.resolve());
  }

  begin(contentType: string): void {
    if (this.#over) return;
    if (contentType === httpIntegration) this.#prelude = new Prelude();
    else this.#streamHead({ statusCode: 200, headers: { 'content-type': contentType } });
  }

  /** A caller that left is not told to the function: its bytes go nowhere. */
  async write(bytes: Uint8Array): Promise<void> {
    if (this.#over) return;
    const body = this.#afterPrelude(bytes);
    if (body.length === 0 || this.#response.destroyed || this.#body.write(body)) return;
    const drained = Promise.withResolvers<void>();
    this.#body.once('drain', () => drained.resolve());
    await Promise.race([drained.promise, this.#left.promise]);
  }

  /** Without one `write` before, the head never went out: there AWS hangs, and here the connection breaks. */
  end(): void {
    if (this.#over) return;
    if (this.#prelude === undefined) this.#body.end();
    else this.#response.destroy();
  }

  /** What a handler returned, in format 2.0: with a `statusCode` an answer, without one its body. */
  returned(result: unknown): void {
    const head = answerHead(result);
    const answer = head === undefined ? bodyOnly(result) : (result as Partial<BufferedHttpResult>);
    const bytes = Buffer.from(
      answer.body ?? '',
      answer.isBase64Encoded === true ? 'base64' : 'utf8',
    );
    this.#writeHead(head ?? { statusCode: 200, headers: {} });
    this.#response.setHeader('content-length', bytes.length);
    this.#response.end(bytes);
  }

  /** The service's own answer; after the head only an end is left to say. */
  failed(status: number, message: string): void {
    this.#over = true;
    if (this.#response.headersSent) {
      if (this.#switches.midStreamThrow === 'clean-end') this.#body.end();
      else this.#response.destroy();
      return;
    }
    for (const name of this.#response.getHeaderNames()) this.#response.removeHeader(name);
    this.#response.writeHead(status, { 'content-type': 'application/json' });
    this.#response.end(JSON.stringify({ Message: message }));
  }

  #afterPrelude(bytes: Uint8Array): Uint8Array {
    if (this.#prelude === undefined) return bytes;
    const taken = this.#prelude.take(bytes);
    if (taken === undefined) return new Uint8Array();
    this.#prelude = undefined;
    this.#streamHead(taken.head);
    return taken.rest;
  }

  #streamHead(head: HttpResultHead): void {
    const strips = this.#switches.stripsContentEncoding;
    const encoding = headerOf(head, 'content-encoding')?.toLowerCase();
    this.#writeHead(head);
    if (strips) this.#response.removeHeader('content-encoding');
    this.#response.flushHeaders();
    if (!strips || encoding !== 'gzip') return;
    const gunzip = createGunzip();
    gunzip.pipe(this.#response);
    gunzip.once('error', () => this.#response.destroy());
    this.#body = gunzip;
  }

  #writeHead(head: HttpResultHead): void {
    this.#response.statusCode = head.statusCode;
    this.#response.setHeader('content-type', 'application/json');
    for (const [name, value] of Object.entries(head.headers)) {
      this.#response.setHeader(this.#nameOf(name), String(value));
    }
    if (head.cookies !== undefined) this.#response.setHeader('set-cookie', [...head.cookies]);
  }

  /** Under which name a header of the function arrives. */
  #nameOf(name: string): string {
    const lower = name.toLowerCase();
    const isRemapped = framing.has(lower) || (this.#switches.remapsHeaders && remapped.has(lower));
    return isRemapped ? `x-amzn-Remapped-${lower}` : name;
  }
}

function headerOf(head: HttpResultHead, lowerName: string): string | undefined {
  return Object.entries(head.headers).find(([name]) => name.toLowerCase() === lowerName)?.[1];
}

function bodyOnly(result: unknown): Partial<BufferedHttpResult> {
  return { body: typeof result === 'string' ? result : JSON.stringify(result) };
}
