import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { type AgentMessage, codecFor, type RelayMessage, systemClock } from '@pullwire/shared';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { AgentAdmission } from '../auth/agent-admission.ts';
import { AgentAuth } from '../auth/agent-auth.ts';
import { AuthThrottle } from '../auth/auth-throttle.ts';
import { CallerAuth } from '../auth/caller-auth.ts';
import { FolderBodies } from '../object/folder-bodies.ts';
import { DynamoQueueStore } from '../queue/dynamo-queue-store.ts';
import { DynamoReadingTable } from '../reading/dynamo-reading-table.ts';
import { DynamoRegistry } from '../registry/dynamo-registry.ts';
import { createRelay, type Relay } from '../relay.ts';
import { dataFolder } from './data-folder.ts';
import { MemorySpentTokens } from './spent-tokens.ts';
import { type TemporaryEngine, temporaryEngine } from './temporary-engine.ts';

const codec = codecFor('pullwire.v1+json');

const settings = {
  listen: { host: '127.0.0.1', port: 0 },
  tls: undefined,
  trustedProxy: [],
  limits: {
    pullsPerLink: 64,
    pullsPerCaller: 64,
    links: 64,
    requestBodyBytes: 65_536,
    headBytes: 16_384,
  },
  heartbeat: { intervalMs: 25_000, timeoutMs: 10_000 },
  deadline: { defaultMs: 30_000, maxMs: 60_000 },
  queue: {
    defaultMs: 3_600_000,
    maxMs: 86_400_000,
    keepMs: 3_600_000,
    perDevice: 8,
    perCaller: 16,
    requestBytes: 1_048_576,
    replyBytes: 1_048_576,
    perCallerBytes: 2_097_152,
  },
  linkLifeMs: 0,
  idleMs: 60_000,
  drainMs: 0,
};

/** For tests: a relay on a free port of loopback, with an engine in a folder of its own; the agents are the test. */
export class TemporaryRelay {
  readonly relay: Relay;
  readonly registry: DynamoRegistry;
  readonly #engine: TemporaryEngine;
  readonly #bodies: FolderBodies;
  readonly #queueBodies: FolderBodies;
  /** Of the URL that is dialled: `127.0.0.1:port`. */
  host = '';

  private constructor(engine: TemporaryEngine) {
    const clock = systemClock;
    const table = { client: engine.engine.createClient(), name: 'pullwire' };
    const registry = new DynamoRegistry({ ...table, mayCreateTable: true });
    const throttle = new AuthThrottle(clock);
    const agents = new AgentAuth({ registry, clock });
    const admission = new AgentAdmission({ registry, tokens: new MemorySpentTokens(clock) });
    this.#engine = engine;
    this.#bodies = new FolderBodies({
      folder: dataFolder(engine.dataFolder).readings,
      clock,
      newId: randomUUID,
    });
    this.#queueBodies = new FolderBodies({
      folder: dataFolder(engine.dataFolder).queue,
      clock,
      newId: randomUUID,
    });
    this.registry = registry;
    this.relay = createRelay({
      settings,
      registry,
      queue: new DynamoQueueStore(table),
      queueBodies: this.#queueBodies,
      readings: {
        readingTable: new DynamoReadingTable(table),
        bodies: this.#bodies,
        retentionDays: 30,
        bytesPerDay: 268_435_456,
      },
      hearsOfWrites: false,
      callers: new CallerAuth({ registry, clock, throttle }),
      throttle,
      linkUrl: undefined,
      admit: async (token) => {
        const agent = await agents.authenticate(token, [this.host]);
        return { identity: agent.identity, record: await admission.admit(agent) };
      },
      clock,
      log: pino({ level: 'silent' }),
      version: '0.0.0',
    });
  }

  static async start(): Promise<TemporaryRelay> {
    const temporary = new TemporaryRelay(await temporaryEngine());
    await temporary.registry.ensureSchema();
    await temporary.#bodies.start();
    await temporary.#queueBodies.start();
    temporary.host = new URL((await temporary.relay.start()).url).host;
    return temporary;
  }

  /** Where bodies of queued pulls are. */
  get queueFolder(): string {
    return dataFolder(this.#engine.dataFolder).queue;
  }

  /** A link that has said hello and was welcomed. */
  async link(
    device: string,
    token: string,
    instance = 'main',
    features: readonly string[] = ['rotate'],
  ): Promise<HandLink> {
    const link = await this.dial(token);
    if (!(link instanceof HandLink)) throw new Error(`the relay answered ${link.status}`);
    link.say({
      action: 'hello',
      version: 1,
      agent: 'hand/1',
      device,
      instance,
      sources: [],
      labels: {},
      features,
    });
    await link.heard('welcome');
    return link;
  }

  /** The link, or what the relay answered in its place. */
  async dial(
    token: string,
  ): Promise<HandLink | { readonly status: number; readonly code: string }> {
    const socket = new WebSocket(`ws://${this.host}/link`, ['pullwire.v1+json'], {
      headers: { Authorization: `Bearer ${token}` },
    });
    const link = new HandLink(socket);
    const refused = once(socket, 'unexpected-response') as Promise<[unknown, IncomingMessage]>;
    const opened = once(socket, 'open').then(() => link);
    const first = await Promise.race([opened, refused]);
    if (first instanceof HandLink) return first;
    const [, response] = first;
    const body = Buffer.concat(await response.toArray()).toString();
    return { status: response.statusCode ?? 0, code: (JSON.parse(body) as { code: string }).code };
  }

  async stop(): Promise<void> {
    await this.relay.stop();
    await this.#engine.remove();
  }
}

/** An agent's end of a link, played by hand. */
export class HandLink {
  readonly #socket: WebSocket;
  readonly #heard: RelayMessage[] = [];
  readonly #waiting = new Map<string, (message: RelayMessage) => void>();
  /** Resolves with the close code. */
  readonly closed: Promise<number>;
  /** The head of the 101. */
  upgrade: IncomingMessage | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    this.closed = once(socket, 'close').then(([code]) => code as number);
    socket.on('upgrade', (response) => {
      this.upgrade = response;
    });
    socket.on('error', () => undefined); // the test looks at how it closed
    socket.on('message', (data) => this.#hear(codec.decodeRelay(String(data)) as RelayMessage));
  }

  say(message: AgentMessage): void {
    this.#socket.send(codec.encode(message) as string);
  }

  ping(data = ''): void {
    this.#socket.ping(data);
  }

  /** Resolves with what the next pong carries. */
  async ponged(): Promise<string> {
    const [data] = (await once(this.#socket, 'pong')) as [Buffer];
    return data.toString();
  }

  /** The first message of this action that has not been asked for yet. */
  heard<A extends RelayMessage['action']>(
    action: A,
  ): Promise<Extract<RelayMessage, { readonly action: A }>> {
    const at = this.#heard.findIndex((message) => message.action === action);
    const found = at === -1 ? undefined : this.#heard.splice(at, 1)[0];
    return new Promise((resolve) => {
      const take = (message: RelayMessage) =>
        resolve(message as Extract<RelayMessage, { readonly action: A }>);
      if (found === undefined) this.#waiting.set(action, take);
      else take(found);
    });
  }

  /** Whatever it heard that nobody asked for. */
  get unasked(): string[] {
    return this.#heard.map(({ action }) => action);
  }

  close(): void {
    this.#socket.close();
  }

  #hear(message: RelayMessage): void {
    const take = this.#waiting.get(message.action);
    this.#waiting.delete(message.action);
    if (take === undefined) this.#heard.push(message);
    else take(message);
  }
}
