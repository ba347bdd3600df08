import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP relay that keeps every byte which passes, either way, and can cut what is open. */
export class WireTap {
  readonly #server: Server;
  readonly #open = new Set<Socket>();
  readonly #pieces: Buffer[] = [];
  #port = 0;

  private constructor() {
    this.#server = createServer((near) => {
      const far = connect(this.#port, '127.0.0.1');
      this.#join(near, far);
      this.#join(far, near);
    });
  }

  static async start(): Promise<WireTap> {
    const tap = new WireTap();
    await new Promise<void>((resolve) => tap.#server.listen(0, '127.0.0.1', resolve));
    return tap;
  }

  /** Where clients connect. */
  get host(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Where it passes everything on to. */
  before(port: number): void {
    this.#port = port;
  }

  /** All that has passed, both directions in the order of arrival. */
  get bytes(): Buffer {
    return Buffer.concat(this.#pieces);
  }

  /** Ends every connection as a cable does that is pulled out. */
  cut(): void {
    for (const socket of this.#open) socket.resetAndDestroy();
  }

  stop(): void {
    this.cut();
    this.#server.close();
  }

  #join(from: Socket, to: Socket): void {
    this.#open.add(from);
    from.on('data', (piece: Buffer) => {
      this.#pieces.push(piece);
      to.write(piece);
    });
    from.on('end', () => to.end());
    from.on('error', () => to.destroy());
    from.on('close', () => {
      this.#open.delete(from);
      to.destroy();
    });
  }
}
