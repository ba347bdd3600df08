import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@pullwire/shared';
import { logTo } from '@pullwire/shared/process-log';
import type { Agent } from '../../agent/src/agent.ts';
import { AgentAuth } from '../../cloud/src/auth/agent-auth.ts';
import { AuthThrottle } from '../../cloud/src/auth/auth-throttle.ts';
import { CallerAuth } from '../../cloud/src/auth/caller-auth.ts';
import { generateCallerKey } from '../../cloud/src/auth/caller-key.ts';
import { FolderObjectDoor } from '../../cloud/src/object/folder-object-door.ts';
import { FolderObjectStore } from '../../cloud/src/object/folder-object-store.ts';
import { objectPrefixes } from '../../cloud/src/object/object-prefix.ts';
import { DynamoQueueStore } from '../../cloud/src/queue/dynamo-queue-store.ts';
import { ObjectQueueBodies } from '../../cloud/src/queue/object-queue-bodies.ts';
import { DynamoReadingTable } from '../../cloud/src/reading/dynamo-reading-table.ts';
import { DynamoRegistry } from '../../cloud/src/registry/dynamo-registry.ts';
import { createRelay, type Relay } from '../../cloud/src/relay.ts';
import { type TemporaryEngine, temporaryEngine } from '../../cloud/src/server/temporary-engine.ts';
import { agentInProcess } from './agent-in-process.ts';
import { command } from './program.ts';

const device = 'plant-7';

/**
 * The one-box server with a folder as its object storage, an agent, and a caller who may do everything: large bodies take
 * the same way as on AWS, with the same messages.
 */
export class FolderWorld {
  readonly folder = mkdtempSync(join(tmpdir(), 'pullwire-folder-'));
  readonly log: Record<string, unknown>[] = [];
  readonly store: FolderObjectStore;
  readonly #engine: TemporaryEngine;
  readonly #client;
  readonly #registry: DynamoRegistry;
  readonly #work: Promise<unknown>[] = [];
  readonly #looks = new Set<() => void>();
  #relay: Relay | undefined;
  #agent: Agent | undefined;
  /** Parts that were put into the storage. */
  parts = 0;
  url = '';
  callerKey = '';

  private constructor(engine: TemporaryEngine) {
    this.#engine = engine;
    this.#client = engine.engine.createClient();
    this.#registry = new DynamoRegistry({
      client: this.#client,
      name: 'relay',
      mayCreateTable: true,
    });
    this.store = new FolderObjectStore({
      folder: join(this.folder, 'objects'),
      baseUrl: () => `${this.url}/objects`,
      secret: randomBytes(32),
      clock: systemClock,
      newId: () => randomBytes(16).toString('base64url'),
    });
  }

  /** Resolves when the agent's link is open. `sources`: of the agent's configuration. */
  static async start(sources: Readonly<Record<string, unknown>>): Promise<FolderWorld> {
    const world = new FolderWorld(await temporaryEngine());
    await world.#registry.ensureSchema();
    await world.store.start();
    await world.#startRelay();
    world.callerKey = await world.addKey('ops');
    await world.#startAgent(sources);
    return world;
  }

  /** Returns the key itself. */
  async addKey(name: string): Promise<string> {
    const { id, key, hash, prefix } = generateCallerKey();
    const grants = [{ devices: ['*'], sources: ['*'], methods: ['*'], manage: false }];
    await this.#registry.addKey({ id, name, hash, prefix, grants, createdAt: Date.now() });
    return key;
  }

  /** A pull, by fetch. */
  pull(source: string, path: string, init: RequestInit = {}): Promise<Response> {
    return fetch(`${this.url}/devices/${device}/sources/${source}${path}`, init);
  }

  /** Keys of what lies in the storage once what goes on beside the pulls is done. */
  async storedObjects(): Promise<string[]> {
    await Promise.all(this.#work);
    const keys: string[] = [];
    for (const prefix of Object.values(objectPrefixes)) {
      for await (const key of this.store.olderThan(prefix, Number.POSITIVE_INFINITY))
        keys.push(key);
    }
    return keys;
  }

  async stop(): Promise<void> {
    await this.#agent?.stop();
    await this.#relay?.stop();
    this.#client.destroy();
    await this.#engine.remove();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #startRelay(): Promise<void> {
    const registry = this.#registry;
    const agents = new AgentAuth({ registry, clock: systemClock });
    const door = new FolderObjectDoor(this.store, systemClock);
    const { store } = this;
    this.#relay = createRelay({
      settings: {
        listen: { host: '127.0.0.1', port: 0 },
        tls: undefined,
        trustedProxy: [],
        limits: {
          pullsPerCaller: 512,
          pullsPerLink: 64,
          links: 8,
          requestBodyBytes: 8_388_608,
          headBytes: 16_384,
        },
        heartbeat: { intervalMs: 25_000, timeoutMs: 10_000 },
        deadline: { defaultMs: 30_000, maxMs: 60_000 },
        queue: {
          ...{ defaultMs: 60_000, maxMs: 60_000, keepMs: 60_000, perDevice: 8, perCaller: 8 },
          ...{ requestBytes: 8_388_608, replyBytes: 33_554_432, perCallerBytes: 67_108_864 },
        },
        linkLifeMs: 0,
        idleMs: 60_000,
        drainMs: 10_000,
      },
      registry,
      queue: new DynamoQueueStore({ client: this.#client, name: 'relay' }),
      queueBodies: new ObjectQueueBodies(async () => store),
      readings: {
        readingTable: new DynamoReadingTable({ client: this.#client, name: 'relay' }),
        bodies: store,
        retentionDays: 30,
        bytesPerDay: 268_435_456,
      },
      hearsOfWrites: true,
      callers: new CallerAuth({ registry, clock: systemClock }),
      throttle: new AuthThrottle(systemClock),
      linkUrl: undefined,
      admit: (token, port) => agents.authenticate(token, [`127.0.0.1:${port}`]),
      objects: {
        store,
        serve: (request, response, proceed) => {
          if (request.method === 'PUT') this.parts += 1;
          return door.serve(request, response, proceed);
        },
        track: (work) => this.#work.push(work),
      },
      clock: systemClock,
      log: logTo({ write: (line) => this.#logged(line) }, 'info'),
      version: '0.0.0',
    });
    const { url } = await this.#relay.start();
    this.url = url;
  }

  async #startAgent(sources: Readonly<Record<string, unknown>>): Promise<void> {
    const keyFile = join(this.folder, 'device.key');
    const { stdout } = await command('agent', ['keygen', '--out', keyFile]);
    const createdAt = Date.now();
    await this.#registry.addDevice({ device, publicKey: stdout.trim(), labels: {}, createdAt });
    const relay = `${this.url.replace('http', 'ws')}/link`;
    this.#agent = agentInProcess(this.folder, { device, relay, keyFile, sources });
    const open = this.#line('link open');
    await this.#agent.start();
    await open;
  }

  #line(msg: string): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!this.log.some((line) => line['msg'] === msg)) return;
        this.#looks.delete(look);
        resolve();
      };
      this.#looks.add(look);
      look();
    });
  }

  #logged(line: string): void {
    this.log.push(JSON.parse(line) as Record<string, unknown>);
    for (const look of this.#looks) look();
  }
}
