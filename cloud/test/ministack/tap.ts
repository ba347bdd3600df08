import { once } from 'node:events';
import {
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { Duplex } from 'node:stream';
import { ClientFrames } from './client-frames.ts';
import { offersSubprotocol, requestHead, withSubprotocol } from './tap-upgrade.ts';

/** Something that passed. Times are milliseconds by `performance.now()`. */
export type Passage =
  | {
      readonly kind: 'request';
      readonly method: string;
      readonly path: string;
      /** `X-Amz-Target`: the operation, for the services that name it so. */
      readonly operation: string | undefined;
      /** The function that asks, where it asks by the SDK. */
      readonly by: string | undefined;
      readonly startedAt: number;
      readonly endedAt: number;
      readonly status: number;
    }
  | {
      readonly kind: 'handshake';
      /** Agents offer a subprotocol; a reply channel offers none. */
      readonly socket: 'agent' | 'channel';
      readonly startedAt: number;
      readonly endedAt: number;
      readonly status: number;
    }
  | {
      readonly kind: 'bytes';
      readonly socket: 'agent' | 'channel';
      readonly to: 'client' | 'gateway';
      readonly at: number;
      readonly bytes: number;
    };

export interface TapOptions {
  readonly told?: (passage: Passage) => void;
  /** Every byte that passes, either way and of everybody; what clients say on sockets without its mask. */
  readonly overheard?: (bytes: Buffer) => void;
}

/**
 * A proxy on loopback before ministack. It adds to a handshake's answer the subprotocol that ministack leaves out, so
 * that an agent links as it ships, and tells of what passes. Nothing else is changed.
 */
export class Tap {
  readonly #told: (passage: Passage) => void;
  readonly #overheard: (bytes: Buffer) => void;
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  #port = 0;
  #target = 0;

  private constructor({ told = () => undefined, overheard = () => undefined }: TapOptions) {
    this.#told = told;
    this.#overheard = overheard;
    this.#server = createServer((request, response) => this.#forward(request, response));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#server.on('connection', (socket) => this.#keep(socket));
  }

  /** It listens, and waits for `before`. */
  static async start(options: TapOptions = {}): Promise<Tap> {
    const tap = new Tap(options);
    tap.#server.listen(0, '127.0.0.1');
    await once(tap.#server, 'listening');
    const address = tap.#server.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    tap.#port = address.port;
    return tap;
  }

  /** Takes the place of ministack's own address. */
  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Where everything goes. */
  before(endpoint: string): void {
    this.#target = Number(new URL(endpoint).port);
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #forward(request: IncomingMessage, response: ServerResponse): void {
    const startedAt = performance.now();
    const { method = 'GET', url = '/', headers } = request;
    this.#overheard(requestHead(request));
    request.on('data', this.#overheard);
    const onward = httpRequest(
      { host: '127.0.0.1', port: this.#target, method, path: url, headers },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.rawHeaders);
        this.#overheard(Buffer.from(answer.rawHeaders.join('\n'), 'latin1'));
        answer.on('data', this.#overheard);
        answer.pipe(response);
        answer.once('end', () =>
          this.#told({
            kind: 'request',
            method,
            path: url,
            operation: textOf(headers['x-amz-target']),
            by: /\bapp\/([\w-]+)/.exec(headers['user-agent'] ?? '')?.[1],
            startedAt,
            endedAt: performance.now(),
            status: answer.statusCode ?? 502,
          }),
        );
      },
    );
    onward.once('error', () => response.destroy());
    response.once('close', () => onward.destroy());
    request.pipe(onward);
  }

  /** Byte for byte both ways, but for one line in the head of the answer. */
  #upgrade(request: IncomingMessage, client: Duplex, head: Buffer): void {
    const offered = offersSubprotocol(request);
    const socket = offered ? 'agent' : 'channel';
    const gateway = connect(this.#target, '127.0.0.1');
    this.#keep(gateway);
    gateway.setNoDelay(true);
    gateway.write(requestHead(request));
    gateway.write(head);
    const frames = new ClientFrames(this.#overheard);
    this.#overheard(requestHead(request));
    frames.pass(head);
    const tell = (to: 'client' | 'gateway', bytes: number): void =>
      this.#told({ kind: 'bytes', socket, to, at: performance.now(), bytes });
    client.on('data', (chunk: Buffer) => {
      tell('gateway', chunk.length);
      frames.pass(chunk);
    });
    client.pipe(gateway);
    const answer = withSubprotocol(offered);
    const startedAt = performance.now();
    answer.once('data', (head: Buffer) => {
      const status = Number(head.toString('latin1', 9, 12)); // HTTP/1.1 101
      this.#told({ kind: 'handshake', socket, startedAt, endedAt: performance.now(), status });
      answer.on('data', (chunk: Buffer) => tell('client', chunk.length));
    });
    answer.on('data', this.#overheard);
    gateway.pipe(answer).pipe(client);
    for (const [one, other] of [
      [client, gateway],
      [gateway, client],
    ] as const) {
      one.once('error', () => other.destroy());
      one.once('close', () => other.destroy());
    }
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
  }
}

function textOf(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
