import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { CertificateFiles } from './certificate.ts';

/** TLS in front of a port of loopback, as the gateway has it and its emulator does not. */
export class TlsFront {
  readonly #server;
  readonly #open = new Set<Socket>();

  private constructor({ cert, key }: CertificateFiles, targetPort: number) {
    this.#server = createServer({ cert: readFileSync(cert), key: readFileSync(key) }, (near) => {
      const far = connect({ port: targetPort, host: '127.0.0.1', noDelay: true });
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#open.add(from);
        from.on('error', () => to.destroy());
        from.on('close', () => this.#open.delete(from));
        from.pipe(to);
      }
    });
  }

  static async start(files: CertificateFiles, targetPort: number): Promise<TlsFront> {
    const front = new TlsFront(files, targetPort);
    front.#server.listen(0, '127.0.0.1');
    await once(front.#server, 'listening');
    return front;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  stop(): void {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
  }
}
