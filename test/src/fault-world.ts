import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Agent } from '../../agent/src/agent.ts';
import {
  generateDeviceKey,
  publicKeyText,
  writeDeviceKey,
} from '../../agent/src/identity/device-key.ts';
import { AwsWorld } from '../../cloud/test/aws/aws-world.ts';
import { agentInProcess } from './agent-in-process.ts';
import { CountedClock } from './counted-clock.ts';
import { HandDevice } from './hand-device.ts';
import { until } from './until.ts';

export interface FaultPull {
  readonly device?: string;
  readonly method?: string;
  readonly key?: string;
  /** `Prefer: wait=N`. */
  readonly waitSeconds?: number;
}

/** What is left of a pull once everything that it began is over. */
export interface Leftovers {
  /** Pulls that wait at the relay and at the agent. */
  readonly pulls: number;
  /** Of the http function. */
  readonly timers: number;
  readonly objects: readonly string[];
  /** Planted faults that nothing has met. */
  readonly faults: number;
}

/** The clock of the http function: what takes it 5 s takes a test one. */
const speed = 5;
const functions = ['authorizer', 'connect', 'message', 'disconnect'] as const;

/** The AWS host with one agent of the shipped code, `plant-1`, for tests that break something. */
export class FaultWorld {
  readonly aws: AwsWorld;
  readonly #clock: CountedClock;
  readonly #folder = mkdtempSync(join(tmpdir(), 'pullwire-faults-'));
  readonly #origin: Server;
  readonly #held: ServerResponse[] = [];
  readonly #devices: HandDevice[] = [];
  /** Requests that the origin has seen. */
  executed = 0;
  /** So many of the oldest environments of the http function are gone. */
  #crashed = 0;
  key = '';
  agent!: Agent;

  private constructor(aws: AwsWorld, clock: CountedClock) {
    this.aws = aws;
    this.#clock = clock;
    this.#origin = createServer((request, response) => {
      this.executed += 1;
      request.resume();
      const bytes = /^\/bytes\/(\d+)$/.exec(request.url ?? '')?.[1];
      if (bytes === undefined) this.#held.push(response);
      else response.end(Buffer.alloc(Number(bytes), 'x'));
    });
  }

  static async start(): Promise<FaultWorld> {
    const clock = new CountedClock(speed);
    const world = new FaultWorld(await AwsWorld.start({ httpClock: clock }), clock);
    world.#origin.listen(0, '127.0.0.1');
    await once(world.#origin, 'listening');
    world.key = await world.aws.addKey();
    await world.#startAgent();
    return world;
  }

  /** A pull at `/bytes/N` of `plant-1` gives N bytes; any other path waits for `release`. */
  pull(path: string, { device = 'plant-1', method = 'POST', ...options }: FaultPull = {}) {
    const { key = this.key, waitSeconds } = options;
    const prefer = waitSeconds === undefined ? undefined : { Prefer: `wait=${waitSeconds}` };
    const url = `${this.aws.url}/devices/${device}/sources/web${path}`;
    return fetch(url, { method, headers: { 'Pullwire-Key': key, ...prefer } });
  }

  /** Resolves when a pull stands at the origin; its call answers it. */
  async held(): Promise<() => void> {
    await until(() => this.#held.length > 0);
    const response = this.#held.shift();
    return () => void response?.end('released');
  }

  /** One whose links the test itself speaks, until `calm`. */
  async addDevice(device: string): Promise<HandDevice> {
    const added = await HandDevice.add(this.aws, device);
    this.#devices.push(added);
    return added;
  }

  /** The open reply channels, the newest last. */
  get channels() {
    return this.#connections('channel');
  }

  get agents() {
    return this.#connections('agent');
  }

  /** Ends every environment of the http function, whatever runs there. */
  crashHttp(): void {
    this.#crashed = this.aws.httpEnvironments.length;
    this.aws.http.retire();
    this.#clock.forgetTimers();
  }

  /** Waits as an answer's `Retry-After` says. */
  waited(seconds: number): Promise<void> {
    return new Promise((resolve) => this.#clock.after(seconds * 1_000, resolve));
  }

  /** Resolves when nothing runs any more that a request began. */
  async idle(): Promise<void> {
    await this.aws.gateway.settled();
    await until(() => this.aws.http.environments.every(({ idle }) => idle));
    await this.aws.gateway.settled();
  }

  /** Ends the links that the test spoke; resolves when `plant-1` alone is linked, and no environment has two channels. */
  async calm(): Promise<void> {
    for (const device of this.#devices) device.stop();
    await this.idle();
    const { http } = this.aws;
    await until(() => this.agents.length === 1 && this.agent.snapshot().link?.state === 'open');
    await until(() => this.channels.length <= http.environments.length);
    await until(() => this.agent.snapshot().pulls.inFlight === 0);
    await this.idle();
  }

  async leftovers(): Promise<Leftovers> {
    const { aws } = this;
    const living = aws.httpEnvironments.slice(this.#crashed);
    const waiting = living.reduce((sum, { replies }) => sum + replies.size, 0);
    const planted = functions.map((name) => aws.gateway.lambda(name).pendingFaults);
    const unfinished: string[] = [];
    for await (const { key } of aws.objects.unfinishedBefore('', Number.POSITIVE_INFINITY))
      unfinished.push(key);
    return {
      pulls: waiting + this.agent.snapshot().pulls.inFlight,
      timers: this.#clock.pending,
      objects: [...(await aws.storedObjects()), ...unfinished],
      faults: planted.reduce((sum, count) => sum + count, aws.gateway.faults.pending),
    };
  }

  async stop(): Promise<void> {
    for (const device of this.#devices) device.stop();
    await this.agent?.stop();
    await this.aws.stop();
    this.#origin.close();
    this.#origin.closeAllConnections();
    rmSync(this.#folder, { recursive: true });
  }

  #connections(role: 'agent' | 'channel') {
    return this.aws.gateway.connections.filter(({ authorizer }) => authorizer?.['role'] === role);
  }

  async #startAgent(): Promise<void> {
    const keyFile = join(this.#folder, 'plant-1.key');
    const key = await generateDeviceKey();
    await writeDeviceKey(keyFile, key);
    await this.aws.addDevice('plant-1', publicKeyText(key));
    const url = `http://127.0.0.1:${(this.#origin.address() as AddressInfo).port}`;
    this.agent = agentInProcess(this.#folder, {
      relay: this.aws.linkUrl,
      device: 'plant-1',
      keyFile,
      redial: { baseMs: 1, capMs: 100 },
      sources: { web: { kind: 'http', url, allow: [{ paths: ['/**'], methods: ['POST'] }] } },
    });
    await this.agent.start();
    await this.aws.logged('link open');
  }
}
