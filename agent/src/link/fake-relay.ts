import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import {
  type AgentMessage,
  byeRule,
  codecFor,
  type Hello,
  type Ignored,
  type Pull,
  type RelayMessage,
  type Subprotocol,
  subprotocols,
  type Welcome,
} from '@pullwire/shared';
import { type WebSocket, WebSocketServer } from 'ws';

export const plainWelcome: Welcome = {
  action: 'welcome',
  version: 1,
  relay: 'fake-relay/1',
  limits: { frameBytes: 98_304, bodyBytes: 65_536, headBytes: 16_384, pulls: 64 },
  heartbeat: { intervalMs: 60_000, timeoutMs: 60_000 },
  features: [],
};

export const plainHello: Hello = {
  action: 'hello',
  version: 1,
  agent: 'pullwire-agent/test',
  device: 'plant-7',
  instance: 'main',
  sources: [],
  labels: {},
  features: [],
};

export const plainPull: Pull = {
  action: 'pull',
  pullId: 'AAECAwQFBgcICQoLDA0ODw',
  replyTo: 'r1',
  seq: 0,
  source: 'metrics',
  method: 'GET',
  path: '/metrics',
  headers: [],
  deadlineMs: 30_000,
  credit: 524_288,
  caller: 'ops',
  end: true,
};

export interface Refusing {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A relay on loopback whose part a test plays by hand. */
export class FakeRelay {
  readonly server: Server;
  /** What each attempt asked for. */
  readonly requests: IncomingMessage[] = [];
  /** Lines for the answers that accept a link. */
  readonly acceptHeaders: string[] = [];
  /** How the next attempts are answered, one each; then they are accepted. */
  readonly refusals: Refusing[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #links: RelayEnd[] = [];
  readonly #waiting: ((link: RelayEnd) => void)[] = [];
  readonly #acceptor: WebSocketServer;

  constructor(offered: readonly Subprotocol[] = subprotocols, server = createServer()) {
    this.server = server;
    this.#acceptor = new WebSocketServer({
      noServer: true,
      handleProtocols: (asked) => offered.find((protocol) => asked.has(protocol)) ?? false,
    });
  }

  async start(): Promise<void> {
    this.#acceptor.on('headers', (lines) => lines.push(...this.acceptHeaders));
    this.server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
    this.server.listen(0, '127.0.0.1');
    await once(this.server, 'listening');
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  get url(): string {
    return `ws://127.0.0.1:${this.port}/link`;
  }

  get openSockets(): number {
    return this.#sockets.size;
  }

  /** The next link that is accepted, in order. */
  link(): Promise<RelayEnd> {
    const link = this.#links.shift();
    if (link !== undefined) return Promise.resolve(link);
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  /** Takes the next link, reads its `hello` and says `welcome`. */
  async welcome(welcome: Partial<Welcome> = {}): Promise<RelayEnd> {
    const link = await this.link();
    await link.next('hello');
    link.send({ ...plainWelcome, ...welcome });
    return link;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.requests.push(request);
    const refusal = this.refusals.shift();
    if (refusal === undefined) {
      this.#acceptor.handleUpgrade(request, socket, head, (ws) => this.#accepted(ws));
      return;
    }
    const headers = { 'content-length': String(refusal.body?.length ?? 0), ...refusal.headers };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`HTTP/1.1 ${refusal.status} No\r\n${lines.join('')}\r\n${refusal.body ?? ''}`);
  }

  #accepted(ws: WebSocket): void {
    const link = new RelayEnd(ws);
    const taker = this.#waiting.shift();
    if (taker === undefined) this.#links.push(link);
    else taker(link);
  }
}

/** The relay's end of one link. */
export class RelayEnd {
  readonly ws: WebSocket;
  readonly closed: Promise<number>;
  readonly #codec;
  readonly #received: (AgentMessage | Ignored)[] = [];
  #changed = Promise.withResolvers<void>();

  constructor(ws: WebSocket) {
    this.ws = ws;
    this.#codec = codecFor((ws.protocol || 'pullwire.v1+json') as Subprotocol);
    ws.on('message', (data, isBinary) => {
      this.#received.push(this.#codec.decodeAgent(isBinary ? (data as Buffer) : String(data)));
      this.#changed.resolve();
      this.#changed = Promise.withResolvers();
    });
    ws.on('error', () => {});
    this.closed = new Promise((resolve) => {
      ws.once('close', (code) => {
        resolve(code);
        this.#changed.reject(new Error(`closed with ${code}`));
        this.#changed.promise.catch(() => {});
      });
    });
  }

  send(message: RelayMessage): void {
    const frame = this.#codec.encode(message);
    if (typeof frame === 'string') this.ws.send(frame);
    else this.ws.send(Buffer.concat(frame as Uint8Array[]));
  }

  /** Says `bye` and closes, as a relay does. */
  bye(code: string): void {
    this.send({ action: 'bye', code });
    this.ws.close(byeRule(code).close);
  }

  async receive(): Promise<AgentMessage | Ignored> {
    for (;;) {
      const message = this.#received.shift();
      if (message !== undefined) return message;
      await this.#changed.promise;
    }
  }

  /** The next message, which must be of this action. */
  async next<A extends AgentMessage['action']>(
    action: A,
  ): Promise<Extract<AgentMessage, { action: A }>> {
    const message = await this.receive();
    if (message.action !== action) {
      throw new Error(`expected ${action}, got ${JSON.stringify(message)}`);
    }
    return message as Extract<AgentMessage, { action: A }>;
  }

  /** The TCP socket, to do what no well-behaved relay does. */
  get transport(): Socket {
    return (this.ws as unknown as { _socket: Socket })._socket;
  }
}
