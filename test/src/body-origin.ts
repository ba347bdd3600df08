import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the origin got. */
export interface ReceivedBody {
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly bytes: number;
  readonly sha256: string;
}

/** `GET /bytes/N` answers N bytes; any other request, as JSON, what it was sent. */
export class BodyOrigin {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(): Promise<BodyOrigin> {
    const server = createServer({ keepAliveTimeout: 120_000 }, async (request, response) => {
      const wanted = /^\/bytes\/(\d+)$/.exec(request.url ?? '')?.[1];
      const hash = createHash('sha256');
      let bytes = 0;
      for await (const chunk of request) {
        hash.update(chunk as Buffer);
        bytes += (chunk as Buffer).length;
      }
      const { url: path = '', headers } = request;
      const received: ReceivedBody = { path, headers, bytes, sha256: hash.digest('hex') };
      if (wanted === undefined) response.end(JSON.stringify(received));
      else response.end(Buffer.alloc(Number(wanted), 'x'));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new BodyOrigin(server);
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
