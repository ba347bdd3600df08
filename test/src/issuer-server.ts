import { createPublicKey, type KeyObject } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** An OpenID provider as far as a relay needs one: its document and its keys, which can be changed. */
export class IssuerServer {
  readonly #server: Server;
  /** Public keys by their `kid`. */
  readonly keys = new Map<string, KeyObject>();
  /** How often its keys were asked for. */
  keyRequests = 0;

  private constructor() {
    this.#server = createServer((request, response) => {
      response.setHeader('Content-Type', 'application/json');
      if (request.url === '/.well-known/openid-configuration') {
        response.end(JSON.stringify({ issuer: this.url, jwks_uri: `${this.url}/keys` }));
      } else if (request.url === '/keys') {
        this.keyRequests += 1;
        response.end(JSON.stringify({ keys: [...this.keys].map(toJwk) }));
      } else {
        response.writeHead(404).end();
      }
    });
  }

  static async start(): Promise<IssuerServer> {
    const issuer = new IssuerServer();
    await new Promise<void>((resolve) => issuer.#server.listen(0, '127.0.0.1', resolve));
    return issuer;
  }

  /** The issuer's name and address. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}

function toJwk([kid, key]: [string, KeyObject]): object {
  return { ...createPublicKey(key).export({ format: 'jwk' }), kid, use: 'sig' };
}
