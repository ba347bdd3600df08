import { Agent, request } from 'node:http';
import type { Program } from './program.ts';
import { TcpRelay } from './tcp-relay.ts';
import { until } from './until.ts';

/** How a long transfer ended: with a status in place of the whole, or broken off. */
export type TransferEnd = number | 'broken';

/** A long transfer under way. */
export interface Transfer {
  readonly ended: Promise<TransferEnd>;
  /** The caller goes away. */
  leave(): void;
}

/** Where a device is linked, on whichever host. */
interface PathWorld {
  /** Where callers ask. */
  readonly url: string;
  /** Where agents dial. */
  readonly linkUrl: string;
  readonly callerKey: string;
  startFurtherAgent(
    device: string,
    sources: Readonly<Record<string, unknown>>,
    more: Readonly<Record<string, unknown>>,
    env: Readonly<Record<string, string>>,
  ): Promise<Program>;
}

/** How much of a long transfer there is, and how much makes it one that is under way. Bytes. */
interface TransferSize {
  readonly bytes?: number;
  readonly underWay?: number;
}

const piece = Buffer.alloc(16_384, 'y');
const underWayBytes = 500_000;

/** A device of a world whose agent dials through a path that the test can spoil. */
export class PathAgent {
  readonly device: string;
  readonly path: TcpRelay;
  readonly #world: PathWorld;
  readonly #callers = new Agent();
  #program: Program | undefined;

  private constructor(world: PathWorld, device: string, path: TcpRelay) {
    this.#world = world;
    this.device = device;
    this.path = path;
  }

  /** Resolves when its link is open. */
  static async start(
    world: PathWorld,
    device: string,
    sources: Readonly<Record<string, unknown>>,
    more: Readonly<Record<string, unknown>> = {},
    env: Readonly<Record<string, string>> = {},
  ): Promise<PathAgent> {
    const { host, port, pathname } = new URL(world.linkUrl);
    const agent = new PathAgent(world, device, await TcpRelay.start(Number(port)));
    const config = {
      relay: `ws://127.0.0.1:${agent.path.port}${pathname}`,
      audience: host,
      redial: { baseMs: 100, capMs: 200 },
      ...more,
    };
    agent.#program = await world.startFurtherAgent(device, sources, config, env);
    return agent;
  }

  get program(): Program {
    if (this.#program === undefined) throw new Error('the agent did not start');
    return this.#program;
  }

  /** `status` and body of a short pull, for which the caller waits so many seconds at most. */
  async pull(path = '/short', waitSeconds = 30): Promise<string> {
    const answer = await this.#fetch(`/sources/web${path}`, { Prefer: `wait=${waitSeconds}` });
    return `${answer.status} ${await answer.text()}`;
  }

  /** What the relay says of the device. */
  async shown(query = ''): Promise<Record<string, unknown>> {
    return (await (await this.#fetch(query)).json()) as Record<string, unknown>;
  }

  /** A reply without end; resolves when much of it has come. */
  async download(
    path = '/endless/down',
    { underWay = underWayBytes }: TransferSize = {},
  ): Promise<Transfer> {
    const caller = new AbortController();
    const answer = await this.#fetch(`/sources/web${path}`, {}, caller.signal);
    let bytes = 0;
    const ended = (async (): Promise<TransferEnd> => {
      try {
        for await (const part of answer.body ?? []) bytes += (part as Uint8Array).length;
        return answer.status;
      } catch {
        return 'broken';
      }
    })();
    await until(() => bytes > underWay);
    return { ended, leave: () => caller.abort() };
  }

  /** A request body, without end unless `bytes` says so; resolves when the upstream has much of it (`taken` tells). */
  async upload(
    path: string,
    taken: () => number,
    { bytes = Number.POSITIVE_INFINITY, underWay = underWayBytes }: TransferSize = {},
  ): Promise<Transfer> {
    let left = bytes;
    const { url, callerKey } = this.#world;
    const sent = request(`${url}/devices/${this.device}/sources/web${path}`, {
      method: 'PUT',
      agent: this.#callers,
      headers: { 'Pullwire-Key': callerKey },
    });
    const pour = (): void => {
      while (left > 0 && sent.writable) {
        left -= piece.length;
        if (!sent.write(piece)) return;
      }
      sent.end();
    };
    const ended = new Promise<TransferEnd>((resolve) => {
      sent.on('response', (answer) => {
        answer.resume();
        resolve(answer.statusCode ?? 0);
        sent.destroy();
      });
      sent.on('error', () => resolve('broken'));
    });
    sent.on('drain', pour);
    pour();
    const before = taken();
    await until(() => taken() > before + underWay);
    return { ended, leave: () => sent.destroy() };
  }

  async stop(): Promise<void> {
    this.#callers.destroy();
    await this.path.stop();
  }

  #fetch(
    path: string,
    more: Readonly<Record<string, string>> = {},
    signal?: AbortSignal,
  ): Promise<Response> {
    const { url, callerKey } = this.#world;
    const headers = { 'Pullwire-Key': callerKey, ...more };
    const init = { headers, ...(signal !== undefined && { signal }) };
    return fetch(`${url}/devices/${this.device}${path}`, init);
  }
}
