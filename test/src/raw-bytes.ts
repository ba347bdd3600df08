import type { Socket } from 'node:net';

/** How a connection ended: by the peer's orderly end, or by anything else. */
type SocketEnd = 'end' | 'reset';

/** The bytes of a socket, taken as a parser needs them and no faster: what is not taken stays in the kernel. */
export class RawBytes {
  readonly #socket: Socket;
  #held: Buffer = Buffer.alloc(0);
  #ended: SocketEnd | undefined;
  #wake: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('readable', () => this.#wake?.());
    socket.on('end', () => this.#end('end'));
    socket.on('error', () => this.#end('reset'));
    socket.on('close', () => this.#end('reset'));
  }

  /** Set once the connection has ended and all its bytes are taken. */
  get ended(): SocketEnd | undefined {
    return this.#held.length === 0 ? this.#ended : undefined;
  }

  /** A line without its CRLF, as Latin-1; undefined where the connection ends before it. A bare LF is no line's end. */
  async line(): Promise<string | undefined> {
    for (;;) {
      const end = this.#held.indexOf('\r\n');
      if (end !== -1) return this.#take(end + 2).toString('latin1', 0, end);
      if (!(await this.#more())) return undefined;
    }
  }

  /** At least one byte and at most `bytes` of them, as soon as there are some; undefined at the end of the connection. */
  async upTo(bytes: number): Promise<Buffer | undefined> {
    if (this.#held.length === 0 && !(await this.#more())) return undefined;
    return this.#take(Math.min(bytes, this.#held.length));
  }

  #take(bytes: number): Buffer {
    const taken = this.#held.subarray(0, bytes);
    this.#held = this.#held.subarray(bytes);
    return taken;
  }

  async #more(): Promise<boolean> {
    for (;;) {
      const chunk = this.#socket.read() as Buffer | null;
      if (chunk !== null) {
        this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
        return true;
      }
      if (this.#ended !== undefined) return false;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #end(how: SocketEnd): void {
    this.#ended ??= how;
    this.#wake?.();
  }
}
