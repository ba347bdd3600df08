import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import type { WireFrame } from './hand-agent.ts';

const welcome = {
  action: 'welcome',
  version: 1,
  relay: 'by-hand/1',
  limits: { frameBytes: 30_000, bodyBytes: 22_000, headBytes: 16_384, pulls: 100 },
  heartbeat: { intervalMs: 25_000, timeoutMs: 10_000 },
  features: [],
};

/** One link of an agent at a relay played by hand, with the text encoding. */
export class HandLink {
  readonly received: WireFrame[] = [];
  readonly closed: Promise<number>;
  readonly #ws: WebSocket;
  readonly #waiters = new Set<() => void>();

  constructor(ws: WebSocket) {
    this.#ws = ws;
    ws.on('message', (data: Buffer) => {
      this.received.push(JSON.parse(data.toString()) as WireFrame);
      for (const waiter of this.#waiters) waiter();
    });
    this.closed = once(ws, 'close').then(([code]) => {
      for (const waiter of this.#waiters) waiter();
      return Number(code);
    });
  }

  /** Without a word; the agent dials again. */
  async end(): Promise<void> {
    this.#ws.terminate();
    await this.closed;
  }

  send(frame: WireFrame | string | Uint8Array): void {
    const plain = typeof frame === 'string' || frame instanceof Uint8Array;
    this.#ws.send(plain ? frame : JSON.stringify(frame));
  }

  /** The next frame of one of these actions that was not taken before; rejects where the link ends first. */
  async next(...actions: string[]): Promise<WireFrame> {
    for (;;) {
      const index = this.received.findIndex((frame) => actions.includes(frame.action));
      if (index !== -1) return this.received.splice(index, 1)[0] as WireFrame;
      if (this.#ws.readyState === WebSocket.CLOSED) throw new Error(`closed without ${actions}`);
      await new Promise<void>((resolve) => {
        const told = (): void => {
          this.#waiters.delete(told);
          resolve();
        };
        this.#waiters.add(told);
      });
    }
  }
}

/** A relay played by hand: takes any agent, says welcome, and then what the test says. */
export class HandRelay {
  readonly #server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    handleProtocols: () => 'pullwire.v1+json',
  });
  readonly #links: HandLink[] = [];
  readonly #takers: ((link: HandLink) => void)[] = [];

  async start(): Promise<string> {
    this.#server.on('connection', (ws) => {
      const link = new HandLink(ws);
      const taker = this.#takers.shift();
      if (taker === undefined) this.#links.push(link);
      else taker(link);
    });
    if (this.#server.address() === null) await once(this.#server, 'listening');
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/link`;
  }

  /** The next link, greeted. */
  async link(greet = true): Promise<HandLink> {
    const link =
      this.#links.shift() ??
      (await new Promise<HandLink>((resolve) => {
        this.#takers.push(resolve);
      }));
    await link.next('hello');
    if (greet) link.send(welcome);
    return link;
  }

  async stop(): Promise<void> {
    for (const client of this.#server.clients) client.terminate();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
