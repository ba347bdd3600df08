import { randomUUID } from 'node:crypto';
import { type IncomingMessage, STATUS_CODES } from 'node:http';
import type { Socket } from 'node:net';
import type { Clock } from '@pullwire/shared';
import { type WebSocket, WebSocketServer } from 'ws';
import { gatewayLimit } from './gateway-limit.ts';
import type { GatewaySwitches } from './gateway-switches.ts';
import type { HandshakeRefusal } from './handshake-refusal.ts';

const errorTypes: Readonly<Record<number, string>> = {
  401: 'UnauthorizedException',
  403: 'ForbiddenException',
  429: 'LimitExceededException',
};

export interface UpgradeDoorOptions {
  /** What the `Date` of the answers is by. */
  readonly clock: Clock;
  readonly switches: Pick<GatewaySwitches, 'datesAcceptance'>;
}

/** Ends held upgrade requests: with 101, or with a status. */
export class UpgradeDoor {
  readonly #server = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    maxPayload: gatewayLimit.messageBytes,
    // The header is added below: `ws` would pick one of the offered where `$connect` named none.
    handleProtocols: () => false,
  });
  readonly #subprotocols = new WeakMap<IncomingMessage, string>();
  readonly #held = new Set<Socket>();
  readonly #options: UpgradeDoorOptions;

  constructor(options: UpgradeDoorOptions) {
    this.#options = options;
    this.#server.on('headers', (headers, request) => {
      const subprotocol = this.#subprotocols.get(request);
      if (subprotocol !== undefined) headers.push(`Sec-WebSocket-Protocol: ${subprotocol}`);
      if (options.switches.datesAcceptance) headers.push(`Date: ${this.#date()}`);
    });
  }

  /** The client waits for an answer from here on. */
  hold(socket: Socket): void {
    this.#held.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => this.#held.delete(socket));
  }

  /** Undefined where the client has left, or did not ask as RFC 6455 §4.1 says (it is answered then). */
  accept(
    request: IncomingMessage,
    socket: Socket,
    head: Buffer,
    subprotocol: string | undefined,
  ): WebSocket | undefined {
    if (subprotocol !== undefined) this.#subprotocols.set(request, subprotocol);
    this.#held.delete(socket);
    let accepted: WebSocket | undefined;
    this.#server.handleUpgrade(request, socket, head, (webSocket) => {
      accepted = webSocket;
    });
    return accepted;
  }

  refuse(socket: Socket, refusal: HandshakeRefusal, connectionId: string): void {
    const { status, headers, message } = refusal;
    const requestId = randomUUID();
    const body = refusal.body ?? JSON.stringify({ message, connectionId, requestId });
    const type = errorTypes[status];
    const fields = {
      ...headers,
      Date: this.#date(),
      'Content-Type': 'application/json',
      'Content-Length': String(Buffer.byteLength(body)),
      Connection: 'close',
      ...(type === undefined ? {} : { 'x-amzn-ErrorType': type }),
    };
    const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${lines.join('')}\r\n${body}`);
  }

  /** RFC 9110 §5.6.7. */
  #date(): string {
    return new Date(this.#options.clock.wall()).toUTCString();
  }

  stop(): void {
    for (const client of this.#server.clients) client.terminate();
    for (const socket of this.#held) socket.destroy();
    this.#server.close();
  }
}
