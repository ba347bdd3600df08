import { Agent, request } from 'node:http';
import type { Program } from './program.ts';
import { TcpRelay } from './tcp-relay.ts';
import { until } from './until.ts';
import type { World } from './world.ts';

/** How a long transfer ended: with a status in place of the whole, or broken off. */
export type TransferEnd = number | 'broken';

/** A long transfer under way. */
export interface Transfer {
  readonly ended: Promise<TransferEnd>;
}

const piece = Buffer.alloc(16_384, 'y');
const underWayBytes = 500_000;

/** A device of a world whose agent dials through a path that the test can spoil. */
export class PathAgent {
  readonly device: string;
  readonly path: TcpRelay;
  readonly #world: World;
  readonly #callers = new Agent();
  #program: Program | undefined;

  private constructor(world: World, device: string, path: TcpRelay) {
    this.#world = world;
    this.device = device;
    this.path = path;
  }

  /** Resolves when its link is open. */
  static async start(
    world: World,
    device: string,
    sources: Readonly<Record<string, unknown>>,
    more: Readonly<Record<string, unknown>> = {},
    env: Readonly<Record<string, string>> = {},
  ): Promise<PathAgent> {
    const agent = new PathAgent(world, device, await TcpRelay.start(world.port));
    const config = {
      relay: `ws://127.0.0.1:${agent.path.port}/link`,
      audience: new URL(world.url).host,
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

  /** `status` and body of a short pull. */
  async pull(path = '/short'): Promise<string> {
    const answer = await this.#fetch(`/sources/web${path}`);
    return `${answer.status} ${await answer.text()}`;
  }

  /** What the relay says of the device. */
  async shown(): Promise<Record<string, unknown>> {
    return (await (await this.#fetch('')).json()) as Record<string, unknown>;
  }

  /** A reply without end; resolves when much of it has come. */
  async download(): Promise<Transfer> {
    const answer = await this.#fetch('/sources/web/endless/down');
    let bytes = 0;
    const ended = (async (): Promise<TransferEnd> => {
      try {
        for await (const part of answer.body ?? []) bytes += (part as Uint8Array).length;
        return answer.status;
      } catch {
        return 'broken';
      }
    })();
    await until(() => bytes > underWayBytes);
    return { ended };
  }

  /** A request body without end; resolves when the upstream has much of it (`taken` tells). */
  async upload(path: string, taken: () => number): Promise<Transfer> {
    const { url, callerKey } = this.#world;
    const sent = request(`${url}/devices/${this.device}/sources/web${path}`, {
      method: 'PUT',
      agent: this.#callers,
      headers: { 'Pullwire-Key': callerKey },
    });
    const pour = (): void => {
      while (sent.writable && sent.write(piece));
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
    await until(() => taken() > before + underWayBytes);
    return { ended };
  }

  async stop(): Promise<void> {
    this.#callers.destroy();
    await this.path.stop();
  }

  #fetch(path: string): Promise<Response> {
    const { url, callerKey } = this.#world;
    const headers = { 'Pullwire-Key': callerKey };
    return fetch(`${url}/devices/${this.device}${path}`, { headers });
  }
}
