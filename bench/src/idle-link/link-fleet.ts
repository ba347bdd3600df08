import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { type Codec, codecFor, type Hello, protocolVersion } from '@pullwire/shared';
import WebSocket from 'ws';
import { deviceToken } from './device-token.ts';

const subprotocol = 'pullwire.v1+bin';
/** Handshakes under way at once. */
const atOnce = 32;

export interface FleetOptions {
  readonly url: string;
  readonly device: string;
  readonly keyFile: string;
  /** PEM, where the URL is wss:. */
  readonly caFile: string | undefined;
}

/** Many links of one device, an instance each, that say hello and are idle. */
export class LinkFleet {
  readonly #options: FleetOptions;
  readonly #codec: Codec = codecFor(subprotocol);
  readonly #key;
  readonly #ca;
  readonly #sockets: WebSocket[] = [];

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#key = createPrivateKey(readFileSync(options.keyFile));
    this.#ca = options.caFile === undefined ? undefined : readFileSync(options.caFile);
  }

  /** Links that are open and welcome. */
  get size(): number {
    return this.#sockets.filter(({ readyState }) => readyState === WebSocket.OPEN).length;
  }

  /** Opens `count` more links; resolves when the relay has welcomed them all. */
  async open(count: number, signal: AbortSignal): Promise<void> {
    const first = this.#sockets.length;
    for (let done = 0; done < count; done += atOnce) {
      const batch = Array.from(
        { length: Math.min(atOnce, count - done) },
        (_, i) => first + done + i,
      );
      await Promise.all(batch.map((index) => this.#openOne(`i-${index}`, signal)));
    }
  }

  /** Ends all links. */
  async close(): Promise<void> {
    const open = this.#sockets
      .splice(0)
      .filter(({ readyState }) => readyState !== WebSocket.CLOSED);
    await Promise.all(
      open.map(async (socket) => {
        const closed = once(socket, 'close');
        socket.terminate();
        await closed;
      }),
    );
  }

  async #openOne(instance: string, signal: AbortSignal): Promise<void> {
    const { url, device } = this.#options;
    const claims = { device, instance, audience: new URL(url).host, now: Date.now() };
    const socket = new WebSocket(url, subprotocol, {
      headers: { Authorization: `Bearer ${deviceToken(this.#key, claims)}` },
      perMessageDeflate: false,
      handshakeTimeout: 10_000,
      ...(this.#ca === undefined ? {} : { ca: this.#ca }),
    });
    socket.on('error', () => socket.terminate()); // one that breaks later is missing in `size`
    this.#sockets.push(socket);
    await once(socket, 'open', { signal });
    const said = once(socket, 'message', { signal });
    const frame = this.#codec.encode(hello(device, instance));
    socket.send(typeof frame === 'string' ? frame : Buffer.concat(frame));
    const [data] = (await said) as [Buffer];
    const answer = this.#codec.decodeRelay(data);
    if (answer.action === 'welcome') return;
    const why = answer.action === 'bye' ? `: ${answer.code}, ${answer.reason}` : '';
    throw new Error(`the relay answered hello with ${answer.action}${why}`);
  }
}

/** As large as that of an agent with a few sources. */
function hello(device: string, instance: string): Hello {
  const methods = ['GET', 'HEAD'];
  const sources = ['metrics', 'log', 'uptime'].map((name) => ({ name, kind: 'http', methods }));
  return {
    action: 'hello',
    version: protocolVersion,
    agent: 'pullwire-bench/0',
    device,
    instance,
    sources,
    labels: { site: 'bench' },
    features: [],
  };
}
