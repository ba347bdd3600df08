import { constants } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { createServer } from 'node:tls';
import type { CertificateFiles } from './certificate.ts';

export interface TlsFrontOptions {
  /** Whether TLS is resumed where a client asks for that. */
  readonly resumes?: boolean;
}

/** TLS in front of a port of loopback, as the gateway has it and its emulator does not. */
export class TlsFront {
  /** Handshakes so far: full ones, and those that resumed. */
  readonly handshakes = { full: 0, resumed: 0 };
  readonly #server;
  readonly #open = new Set<Socket>();

  private constructor(
    { cert, key }: CertificateFiles,
    targetPort: number,
    { resumes = true }: TlsFrontOptions,
  ) {
    const options = {
      cert: readFileSync(cert),
      key: readFileSync(key),
      // What it gives then are names of sessions, and it keeps none.
      ...(resumes ? {} : { secureOptions: constants.SSL_OP_NO_TICKET }),
    };
    this.#server = createServer(options, (near) => {
      this.handshakes[near.isSessionReused() ? 'resumed' : 'full'] += 1;
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

  static async start(
    files: CertificateFiles,
    targetPort: number,
    options: TlsFrontOptions = {},
  ): Promise<TlsFront> {
    const front = new TlsFront(files, targetPort, options);
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
