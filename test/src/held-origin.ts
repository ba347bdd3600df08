import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/**
 * An upstream of one instance: it answers with its name, at `/held…` only when it is told to, at `/slow` after a while, at `/bytes/N` with
 * N bytes.
 */
export class HeldOrigin {
  readonly name: string;
  /** Method and path of each request, in order. */
  readonly asked: string[] = [];
  readonly #held: ServerResponse[] = [];
  readonly #server: Server;
  #arrived: (() => void) | undefined;

  constructor(name: string) {
    this.name = name;
    this.#server = createServer((request, response) => {
      const { method, url = '/' } = request;
      this.asked.push(`${method} ${url}`);
      if (url.startsWith('/held')) this.#held.push(response);
      else if (url.startsWith('/slow')) setTimeout(() => response.end(name), 40);
      else if (url.startsWith('/bytes/')) response.end(Buffer.alloc(Number(url.slice(7)), 'x'));
      else response.end(name);
      this.#arrived?.();
    });
  }

  async start(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return this;
  }

  /** An agent's `sources:` that lead here. */
  get sources(): Readonly<Record<string, unknown>> {
    const url = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    const methods = ['GET', 'POST'];
    return { web: { kind: 'http', url, allow: [{ paths: ['/**'], methods }] } };
  }

  /** How often this was asked. */
  count(asked: string): number {
    return this.asked.filter((one) => one === asked).length;
  }

  /** Requests that wait for `release`. */
  get held(): number {
    return this.#held.length;
  }

  /** Tells of each request that comes from now on. */
  whenAsked(told: () => void): void {
    this.#arrived = told;
  }

  /** Answers what it holds. */
  release(): void {
    for (const response of this.#held.splice(0)) response.end(this.name);
  }

  stop(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
