import { once } from 'node:events';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What a function in a process of its own reaches over TCP: the table's engine, and SSM with one secret. */
export class LocalServices {
  readonly #table: Server;
  readonly #ssm: HttpServer;
  readonly #sockets = new Set<Socket>();

  private constructor(enginePath: string, secret: string) {
    this.#table = createServer((near) => {
      const far = connect(enginePath);
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        this.#sockets.add(from);
        from.on('error', () => to.destroy());
        from.on('close', () => {
          this.#sockets.delete(from);
          to.destroy();
        });
        from.pipe(to);
      }
    });
    this.#ssm = createHttpServer((_request, response) => {
      response.setHeader('content-type', 'application/x-amz-json-1.1');
      response.end(JSON.stringify({ Parameter: { Value: secret } }));
    });
  }

  /** `enginePath`: the Unix socket of a DynamoDB engine. */
  static async start(enginePath: string, secret: string): Promise<LocalServices> {
    const services = new LocalServices(enginePath, secret);
    for (const server of [services.#table, services.#ssm]) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
    return services;
  }

  /** By the SDK's own variables. */
  get environment(): Record<string, string> {
    return {
      AWS_ENDPOINT_URL_DYNAMODB: urlOf(this.#table),
      AWS_ENDPOINT_URL: urlOf(this.#ssm),
      AWS_REGION: 'eu-central-1',
      AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
      AWS_SECRET_ACCESS_KEY: 'planted',
    };
  }

  stop(): void {
    this.#table.close();
    for (const socket of this.#sockets) socket.destroy();
    this.#ssm.close();
    this.#ssm.closeAllConnections();
  }
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
