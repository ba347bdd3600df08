import { createHash } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What the origin answers to a request's body: up to 4 frames, told apart from every other answer. */
function replyOf(body: string): Buffer {
  const unit = createHash('sha512').update(body).digest();
  return Buffer.alloc(1 + (unit.readUInt32BE(0) % 80_000), unit);
}

/** Answers each POST with what only its own body makes, and counts how often each was executed. */
export class HashOrigin {
  static readonly replyOf = replyOf;

  /** By the first word of the body. */
  readonly executed = new Map<string, number>();
  #server!: Server;

  /** Resolves with its URL. */
  async start(): Promise<string> {
    // Longer than any pause here: a POST that meets a connection which closes just then is an honest fault.
    this.#server = createServer({ keepAliveTimeout: 120_000 }, async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const body = Buffer.concat(chunks).toString();
      const [id = ''] = body.split(' ', 1);
      this.executed.set(id, (this.executed.get(id) ?? 0) + 1);
      response.end(replyOf(body));
    });
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** `right`, or what came instead. */
  async ask(url: string, key: string, body: string): Promise<string> {
    const headers = { 'Pullwire-Key': key };
    const answer = await fetch(url, { method: 'POST', body, headers });
    const bytes = Buffer.from(await answer.arrayBuffer());
    if (bytes.equals(replyOf(body))) return 'right';
    return `${answer.status} ${bytes.toString().slice(0, 400)}`;
  }

  stop(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }
}
