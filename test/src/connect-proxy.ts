import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import type { Duplex } from 'node:stream';

/** An HTTP proxy that opens tunnels (CONNECT, RFC 9110 §9.3.6) to loopback, and does nothing else. */
export class ConnectProxy {
  readonly #divert: number | undefined;
  readonly #server: Server = createServer((_request, response) => {
    response.writeHead(405).end();
  });
  readonly #open = new Set<Duplex>();
  /** Tunnels that were opened, ever. */
  tunnels = 0;

  /** `divert`: where every tunnel leads, whatever port was asked for, as with a proxy that opens TLS. */
  constructor(divert?: number) {
    this.#divert = divert;
  }

  /** Resolves with its port. */
  async start(): Promise<number> {
    this.#server.on('connect', (request, near: Duplex) => {
      const port = this.#divert ?? Number(request.url?.split(':').at(-1));
      const far = connect(port, '127.0.0.1', () => {
        this.tunnels += 1;
        near.write('HTTP/1.1 200 OK\r\n\r\n');
        near.pipe(far).pipe(near);
      });
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#open.add(one);
        one.on('error', () => other.destroy());
        one.on('close', () => {
          this.#open.delete(one);
          other.destroy();
        });
      }
    });
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
  }
}
