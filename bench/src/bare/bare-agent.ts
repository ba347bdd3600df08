/** The other end of `bare-relay.ts`: `ws` to undici. `bare-agent.ts RELAY_PORT ORIGIN_PORT`. */
import { Cork } from '@pullwire/shared';
import { type Dispatcher, Pool } from 'undici';
import { WebSocket } from 'ws';

const hop = /^(connection|keep-alive|transfer-encoding)$/i;
const [relayPort, originPort] = process.argv.slice(2);
const pool = new Pool(`http://127.0.0.1:${originPort}`, { pipelining: 1, connections: 256 });
const link = new WebSocket(`ws://127.0.0.1:${relayPort}`, { perMessageDeflate: false });
let cork: Cork | undefined;

/** One request: its pieces wait for the next one, so that the last is marked and a small reply is one frame. */
class Reply implements Dispatcher.DispatchHandler {
  readonly #id: number;
  #meta = Buffer.alloc(0);
  #held: Buffer | undefined;

  constructor(id: number) {
    this.#id = id;
  }

  onRequestStart(): void {}

  onResponseStart(controller: Dispatcher.DispatchController, status: number): void {
    const raw = (controller.rawHeaders as Buffer[]).map(String);
    const headers: string[] = [];
    for (let i = 0; i < raw.length; i += 2) {
      if (!hop.test(raw[i] as string)) headers.push(raw[i] as string, raw[i + 1] as string);
    }
    this.#meta = Buffer.from(JSON.stringify({ status, headers }));
  }

  onResponseData(_controller: unknown, piece: Buffer): void {
    if (this.#held !== undefined) this.#send(this.#held, false);
    this.#held = piece;
  }

  onResponseEnd(): void {
    this.#send(this.#held ?? Buffer.alloc(0), true);
  }

  onResponseError(_controller: unknown, error: Error): void {
    throw error;
  }

  #send(body: Buffer, isLast: boolean): void {
    const head = Buffer.allocUnsafe(9);
    head.writeUInt32BE(this.#id, 0);
    head[4] = isLast ? 1 : 0;
    head.writeUInt32BE(this.#meta.length, 5);
    cork?.hold();
    link.send(Buffer.concat([head, this.#meta, body]));
    this.#meta = Buffer.alloc(0);
  }
}

link.on('upgrade', (response) => {
  cork = new Cork(response.socket);
});
link.on('message', (frame: Buffer) => {
  const { method, url } = JSON.parse(frame.toString('utf8', 4)) as {
    method: Dispatcher.HttpMethod;
    url: string;
  };
  pool.dispatch({ method, path: url, headers: [] }, new Reply(frame.readUInt32BE(0)));
});
