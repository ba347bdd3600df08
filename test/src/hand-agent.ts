import { once } from 'node:events';
import { WebSocket } from 'ws';

/** A frame as it stands on the wire. */
export type WireFrame = Record<string, unknown> & { action: string };

export interface HandAgentInit {
  readonly url: string;
  readonly token?: string | undefined;
  readonly protocols?: readonly string[];
  readonly headers?: Readonly<Record<string, string>>;
}

/** How a handshake or a link ended. */
export interface LinkClose {
  /** 101 where the handshake went through. */
  readonly status: number;
  readonly code?: number;
  readonly body?: string;
}

/** An agent played by hand, with the text encoding and none of our code: PROTOCOL.md alone. */
export class HandAgent {
  readonly received: WireFrame[] = [];
  readonly closed: Promise<LinkClose>;
  readonly opened: Promise<boolean>;
  readonly #ws: WebSocket;
  readonly #waiters = new Set<() => void>();

  constructor(init: HandAgentInit) {
    const authorization =
      init.token === undefined ? undefined : { Authorization: `Bearer ${init.token}` };
    this.#ws = new WebSocket(init.url, [...(init.protocols ?? [])], {
      headers: { ...authorization, ...init.headers },
      perMessageDeflate: false,
    });
    this.#ws.on('message', (data: Buffer) => this.#read(data));
    this.closed = this.#watchEnd();
    this.opened = Promise.race([
      once(this.#ws, 'open').then(() => true),
      this.closed.then(() => false),
    ]);
  }

  get protocol(): string {
    return this.#ws.protocol;
  }

  /** Sends an object as a text frame, or text and bytes as they are. */
  send(frame: WireFrame | string | Uint8Array): void {
    const plain = typeof frame === 'string' || frame instanceof Uint8Array;
    this.#ws.send(plain ? frame : JSON.stringify(frame));
  }

  sendHello(device: string, fields: Record<string, unknown> = {}): void {
    this.send({
      action: 'hello',
      version: 1,
      agent: 'by-hand/1',
      device,
      instance: 'main',
      sources: [{ name: 'metrics', kind: 'http', methods: ['GET'] }],
      labels: {},
      features: [],
      ...fields,
    });
  }

  /** The next frame of one of these actions that was not taken before. */
  async next(...actions: string[]): Promise<WireFrame> {
    for (;;) {
      const index = this.received.findIndex((frame) => actions.includes(frame.action));
      if (index !== -1) return this.received.splice(index, 1)[0] as WireFrame;
      const ended = await Promise.race([this.#arrival(), this.closed.then((close) => close)]);
      if (ended !== undefined && !this.received.some((frame) => actions.includes(frame.action))) {
        throw new Error(`the link ended (${JSON.stringify(ended)}) before ${actions} came`);
      }
    }
  }

  close(): void {
    this.#ws.close();
  }

  terminate(): void {
    this.#ws.terminate();
  }

  #arrival(): Promise<undefined> {
    return new Promise((resolve) => {
      const told = (): void => {
        this.#waiters.delete(told);
        resolve(undefined);
      };
      this.#waiters.add(told);
    });
  }

  #read(data: Buffer): void {
    this.received.push(JSON.parse(data.toString()) as WireFrame);
    for (const waiter of this.#waiters) waiter();
  }

  #watchEnd(): Promise<LinkClose> {
    return new Promise((resolve) => {
      this.#ws.on('unexpected-response', (_request, response) => {
        let body = '';
        response.on('data', (text: Buffer) => {
          body += text.toString();
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
      });
      this.#ws.on('error', () => undefined); // 'close' follows and says what is to be said
      this.#ws.on('close', (code) => resolve({ status: 101, code }));
    });
  }
}
