import { randomUUID } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { type Clock, PullFault, systemClock } from '@pullwire/shared';
import { logTo } from '@pullwire/shared/process-log';
import { AgentLink } from '../../agent/src/link/agent-link.ts';
import { plainPace } from '../../agent/src/link/plain-pace.ts';
import type { PullReceiver } from '../../agent/src/pull/pull-link.ts';
import { AuthThrottle } from '../../cloud/src/auth/auth-throttle.ts';
import { CallerAuth } from '../../cloud/src/auth/caller-auth.ts';
import { generateCallerKey } from '../../cloud/src/auth/caller-key.ts';
import type { DevicePresence } from '../../cloud/src/presence/presence.ts';
import type { DynamoRegistry } from '../../cloud/src/registry/dynamo-registry.ts';
import { RegistryError } from '../../cloud/src/registry/registry-error.ts';
import { createRelay, type Relay } from '../../cloud/src/relay.ts';
import type { RelayParts } from '../../cloud/src/server/relay-parts.ts';
import { TcpRelay } from './tcp-relay.ts';

export const happenings = [
  'start p1',
  'start p2',
  'stop p1',
  'stop p2',
  'hello p1',
  'hello p2',
  'cut',
  'reset',
  'swallow',
  'restart',
  'crash',
  'registry down',
  'registry up',
  'clock back',
  'clock on',
] as const;
export type Happening = (typeof happenings)[number];
type Name = 'p1' | 'p2';

/** `Accounts` says it all. */
const silent = logTo({ write: () => undefined }, 'error');

const settings = {
  listen: { host: '127.0.0.1', port: 0 },
  tls: undefined,
  trustedProxy: [],
  limits: {
    pullsPerLink: 8,
    pullsPerCaller: 8,
    links: 64,
    requestBodyBytes: 65_536,
    headBytes: 16_384,
  },
  heartbeat: { intervalMs: 250, timeoutMs: 250 },
  deadline: { defaultMs: 30_000, maxMs: 60_000 },
  queue: {
    ...{ defaultMs: 60_000, maxMs: 60_000, keepMs: 60_000, perDevice: 8, perCaller: 8 },
    ...{ requestBytes: 65_536, replyBytes: 65_536, perCallerBytes: 65_536 },
  },
  linkLifeMs: 0,
  idleMs: 60_000,
  drainMs: 0,
};

const noPulls: PullReceiver = {
  receive: () => undefined,
  room: () => undefined,
  lost: () => undefined,
  drain: async () => undefined,
  inFlight: 0,
  inFlightOn: () => 0,
};

/** What each of the three, asked for itself, says of who is connected. */
export interface Accounts {
  /** Of the agents: processes with an open link; and those that should have one and have none. */
  readonly open: readonly string[];
  readonly missing: readonly string[];
  /** Of the relay: its links, and by `GET /devices/{device}` whose they are. */
  readonly links: number;
  readonly connected: readonly string[];
  /** Of the registry: whose link stands there as open. */
  readonly recorded: readonly string[];
  /** What should have come to nothing. */
  readonly left: { readonly writes: number; readonly pulls: number; readonly unbalanced: number };
}

/** What a relay keeps beside the registry. */
export type BenchStores = Pick<RelayParts, 'queue' | 'queueBodies' | 'readings'>;

/** Two processes that were given one instance, a relay and its registry: the real ones, with all that can befall them. */
export class AgreementBench {
  readonly #registry: DynamoRegistry;
  readonly #stores: BenchStores;
  readonly #path: TcpRelay;
  readonly #device = `plant-${randomUUID()}`;
  readonly #agents = new Map<Name, AgentLink>();
  readonly #endings: Promise<unknown>[] = [];
  readonly #key = generateCallerKey();
  #relay!: Relay;
  #alive = { now: true };
  #url = '';
  #down = false;
  #shiftMs = 0;

  private constructor(registry: DynamoRegistry, stores: BenchStores, path: TcpRelay) {
    this.#registry = registry;
    this.#stores = stores;
    this.#path = path;
  }

  static async start(registry: DynamoRegistry, stores: BenchStores): Promise<AgreementBench> {
    const bench = new AgreementBench(registry, stores, await TcpRelay.start());
    const { id, hash, prefix } = bench.#key;
    const grants = [{ devices: ['*'], sources: ['*'], methods: ['*'] }];
    await registry.addKey({ id, name: 'ops', hash, prefix, grants, createdAt: 1 });
    await registry.addDevice({ device: bench.#device, publicKey: 'k', labels: {}, createdAt: 1 });
    await bench.#startRelay();
    return bench;
  }

  async happens(what: Happening): Promise<void> {
    const [verb, name] = what.split(' ') as [string, Name];
    switch (verb) {
      case 'start':
        return this.#startAgent(name);
      case 'stop':
        return this.#stopAgent(name);
      case 'hello':
        return this.#agents.get(name)?.repeatHello(this.#hello(name));
      case 'cut':
        return this.#path.cut();
      case 'reset':
        return this.#path.reset();
      case 'swallow':
        return this.#path.forget();
      case 'restart':
        await this.#relay.stop();
        return this.#startRelay();
      case 'crash':
        return this.#crash();
      case 'registry':
        this.#down = what === 'registry down';
        return;
      case 'clock':
        this.#shiftMs += what === 'clock back' ? -60_000 : 60_000;
    }
  }

  /** Whatever could not be written is written now. */
  heal(): void {
    this.#down = false;
  }

  async accounts(): Promise<Accounts> {
    const open = [...this.#agents].filter(
      ([, agent]) => agent.state === 'open' || agent.state === 'draining',
    );
    const missing = [...this.#agents].filter(
      ([, agent]) => agent.state !== 'open' && !agent.lastTrouble?.includes('replaced'),
    );
    const snapshot = this.#relay.snapshot();
    const { opened, closed } = snapshot.linkEvents;
    const record = (await this.#registry.device(this.#device))?.links[0];
    return {
      open: open.map(([name]) => name),
      missing: missing.map(([name]) => name),
      links: snapshot.links,
      connected: await this.#connected(),
      recorded: record === undefined || record.closedAt !== undefined ? [] : [record.agent],
      left: {
        writes: snapshot.registryWritesWaiting,
        pulls: snapshot.pullsInFlight,
        unbalanced: opened - closed - snapshot.links,
      },
    };
  }

  async stop(): Promise<void> {
    this.#down = false;
    await Promise.all([...this.#agents.values()].map((agent) => agent.stop()));
    await this.#relay.stop();
    await this.#path.stop();
    await Promise.all(this.#endings);
  }

  async #connected(): Promise<string[]> {
    const headers = { 'Pullwire-Key': this.#key.key };
    const answer = await fetch(`${this.#url}/devices/${this.#device}`, { headers });
    const { links } = (await answer.json()) as DevicePresence;
    return links.filter(({ state }) => state === 'connected').map(({ agent }) => agent);
  }

  #startAgent(name: Name): void {
    if (this.#agents.has(name)) return;
    const agent = new AgentLink({
      url: `ws://127.0.0.1:${this.#path.port}/link`,
      subprotocols: ['pullwire.v1+bin', 'pullwire.v1+json'],
      hello: this.#hello(name),
      receiver: noPulls,
      dial: async () => ({ headers: { authorization: 'Bearer t' } }),
      newRun: () => randomUUID(),
      redial: { baseMs: 100, capMs: 100, stableMs: 1_000 },
      pace: plainPace({ minMs: 1, maxMs: 60_000 }),
      limits: { handshakeMs: 1_000, welcomeMs: 1_000, drainMs: 500, closeMs: 200 },
      clock: systemClock,
      random: () => 0,
      logger: silent,
      onFinal: () => undefined,
    });
    this.#agents.set(name, agent);
    agent.start();
  }

  #stopAgent(name: Name): void {
    const agent = this.#agents.get(name);
    this.#agents.delete(name);
    if (agent !== undefined) this.#endings.push(agent.stop());
  }

  #hello(name: Name) {
    const { version, sources, labels, features } = {
      version: 1,
      sources: [],
      labels: {},
      features: [],
    };
    const action = 'hello' as const;
    return {
      action,
      version,
      agent: name,
      device: this.#device,
      instance: 'main',
      sources,
      labels,
      features,
    };
  }

  /** Nothing of what it knew is written, and nobody is told. */
  async #crash(): Promise<void> {
    this.#alive.now = false;
    this.#path.reset();
    const gone = this.#relay;
    await setImmediate();
    this.#endings.push(gone.stop());
    await this.#startRelay();
  }

  async #startRelay(): Promise<void> {
    const alive = { now: true };
    this.#alive = alive;
    const registry = this.#unsteady(alive);
    const clock: Clock = { ...systemClock, wall: () => systemClock.wall() + this.#shiftMs };
    const throttle = new AuthThrottle(clock);
    this.#relay = createRelay({
      settings,
      registry,
      ...this.#stores,
      hearsOfWrites: true,
      callers: new CallerAuth({ registry, clock, throttle }),
      throttle,
      linkUrl: undefined,
      admit: () => this.#admit(registry),
      clock,
      log: silent,
      version: '0.0.0',
    });
    const { url, port } = await this.#relay.start();
    this.#url = url;
    this.#path.target(port);
  }

  async #admit(registry: DynamoRegistry) {
    const record = await registry.deviceRecord(this.#device).catch(() => undefined);
    if (record === undefined)
      throw new PullFault('registry-unavailable', 'lookup', { detail: 'down' });
    const identity = {
      device: this.#device,
      instance: 'main',
      keyId: 'k',
      publicKey: record.publicKey,
      signedBy: 'key' as const,
      tokenId: undefined,
      expiresAt: Number.MAX_SAFE_INTEGER,
    };
    return { identity, record };
  }

  /** Fails while it is down, and for a relay that is no more. */
  #unsteady(alive: { readonly now: boolean }): DynamoRegistry {
    return new Proxy(this.#registry, {
      get: (of, name) => {
        const method: unknown = Reflect.get(of, name);
        if (typeof method !== 'function') return method;
        return async (...args: unknown[]) => {
          if (this.#down || !alive.now) throw new RegistryError('unavailable', 'planted');
          return method.apply(of, args);
        };
      },
    });
  }
}
