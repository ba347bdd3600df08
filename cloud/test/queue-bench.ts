import { randomBytes, randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { pullIds, type RelayMessage } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { pino } from 'pino';
import { FolderObjectStore } from '../src/object/folder-object-store.ts';
import { BodyFrames } from '../src/queue/body-frames.ts';
import { DynamoQueueStore } from '../src/queue/dynamo-queue-store.ts';
import { LargeBodies } from '../src/queue/large-bodies.ts';
import { ObjectQueueBodies } from '../src/queue/object-queue-bodies.ts';
import { QueueDelivery } from '../src/queue/queue-delivery.ts';
import { QueueEnds } from '../src/queue/queue-ends.ts';
import { QueueLog } from '../src/queue/queue-events.ts';
import type { QueueStore } from '../src/queue/queue-store.ts';
import { QueueUploads } from '../src/queue/queue-uploads.ts';
import { QueuedGrants } from '../src/queue/queued-grant.ts';
import type { QueuedPull } from '../src/queue/queued-pull.ts';
import { queuedPull } from '../src/queue/queued-sample.ts';
import { DynamoRegistry } from '../src/registry/dynamo-registry.ts';
import { type TemporaryEngine, temporaryEngine } from '../src/server/temporary-engine.ts';
import { CallScheduler, type Choose } from './call-scheduler.ts';
import { FakeTarget } from './fake-target.ts';

const log = new QueueLog(pino({ level: 'silent' }));
const tableName = 'pullwire';

export const newPullId = pullIds(randomBytes);

/** What the benches of a test file share: a real table, and a folder that stands for the bucket. */
export class QueueGround {
  readonly client: DynamoDBClient;
  readonly objects: FolderObjectStore;
  readonly #engine: TemporaryEngine;
  readonly #folder = mkdtempSync(join(tmpdir(), 'pullwire-queue-'));

  private constructor(engine: TemporaryEngine) {
    this.#engine = engine;
    this.client = engine.engine.createClient();
    this.objects = new FolderObjectStore({
      ...{ folder: this.#folder, clock: new ManualClock(), newId: randomUUID },
      ...{ secret: randomBytes(32), baseUrl: () => 'http://127.0.0.1:1' },
    });
  }

  static async start(): Promise<QueueGround> {
    const ground = new QueueGround(await temporaryEngine());
    const { client } = ground;
    await new DynamoRegistry({ client, name: tableName, mayCreateTable: true }).ensureSchema();
    await ground.objects.start();
    return ground;
  }

  async stop(): Promise<void> {
    this.client.destroy();
    await this.#engine.remove();
    rmSync(this.#folder, { recursive: true });
  }
}

/** A device with one link, and any number of functions that look after its queue, each with its own memory. */
export class QueueBench {
  readonly ground: QueueGround;
  readonly clock = new ManualClock();
  readonly scheduler = new CallScheduler();
  readonly target = new FakeTarget('plant-7', ['web'], 'pullwire.v1+json');
  readonly plain: QueueStore;
  readonly #guarded: QueueStore;
  readonly ends: QueueEnds;
  readonly large: LargeBodies;
  /** What every word to the link besides pulls is refused with. */
  sayFails: Error | undefined;
  /** What was said to it. */
  readonly said: RelayMessage[] = [];

  constructor(ground: QueueGround) {
    this.ground = ground;
    this.plain = new DynamoQueueStore({ client: ground.client, name: tableName });
    this.#guarded = this.scheduler.guard(this.plain);
    this.large = new LargeBodies({
      store: this.#guarded,
      bodyStore: new ObjectQueueBodies(async () => this.objects),
      ...{ clock: this.clock, log, perCallerBytes: 1_000_000 },
    });
    this.ends = new QueueEnds({
      store: this.#guarded,
      large: this.large,
      clock: this.clock,
      log,
    });
  }

  /** A read of a body is one call. */
  get #reads(): Pick<LargeBodies, 'piece'> {
    const bodyStore = new ObjectQueueBodies(async () => this.ground.objects);
    const { plain: store, clock } = this;
    return this.scheduler.guard(
      new LargeBodies({ ...{ store, bodyStore, clock, log }, perCallerBytes: 1_000_000 }),
    );
  }

  /** One environment of a function. */
  function(): QueueDelivery {
    const find = async () => ({
      device: 'plant-7',
      labels: {},
      targets: [this.target],
      offline: { since: undefined, why: '' },
    });
    const say = async (_: string, message: RelayMessage) => {
      if (this.sayFails !== undefined) throw this.sayFails;
      this.said.push(message);
    };
    const record = { device: 'plant-7', publicKey: 'k', labels: {}, createdAt: 0 };
    return new QueueDelivery({
      store: this.#guarded,
      ends: this.ends,
      grants: new QueuedGrants({
        registry: { deviceRecord: async () => record, keyByHash: async () => undefined },
        wall: () => this.clock.wall(),
      }),
      devices: { find, findAnew: find },
      clock: this.clock,
      log,
      pullsPerLink: 512,
      own: undefined,
      bodies: new BodyFrames({ store: this.#guarded, large: this.#reads, say }),
      uploads: new QueueUploads({
        store: this.#guarded,
        large: this.large,
        objects: async () => this.objects,
        ...{ replyBytes: 1_000_000, say },
      }),
      newPullId,
      replyTo: () => 'signed',
      say,
      random: () => 0,
      track: () => undefined,
    });
  }

  /** Signing is no call: nobody waits for it. */
  get objects(): FolderObjectStore {
    const { objects } = this.ground;
    const presignPut = objects.presignPut.bind(objects);
    return Object.assign(Object.create(this.scheduler.guard(objects)), { presignPut });
  }

  /** How often each path was sent to the device. */
  get sent(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const frame of this.target.sent) {
      if (frame.action === 'pull') counts[frame.path] = (counts[frame.path] ?? 0) + 1;
    }
    return counts;
  }
}

/** One order of calls for each seed. */
export const random = (seed: number): Choose => {
  let state = seed;
  return (of) => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state % of;
  };
};

/** Without a key's hash nothing but the device is looked at again. */
export function waiting(changes: Partial<QueuedPull>): QueuedPull {
  const { keyHash: _, ...pull } = queuedPull({ deadlineAt: 4_000_000_000_000, ...changes });
  return { ...pull, keptUntil: 4_000_000_000_000 };
}

const long = process.env['PULLWIRE_LONG'] === '1';
/** Orders that are tried. */
export const seeds = Array.from({ length: long ? 300 : 20 }, (_, at) => at + 1);
