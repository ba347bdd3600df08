import { randomBytes } from 'node:crypto';
import { pullIds } from '@pullwire/shared';
import type { Callers } from '../auth/callers.ts';
import type { ReplyWindows } from '../pull/pull-dispatch.ts';
import type { PullableDevices } from '../pull/pull-target.ts';
import { LargeBodies } from '../queue/large-bodies.ts';
import { OwnReplies } from '../queue/own-replies.ts';
import { PullQueue } from '../queue/pull-queue.ts';
import { QueueDelivery } from '../queue/queue-delivery.ts';
import { QueueEnds } from '../queue/queue-ends.ts';
import { QueueLog } from '../queue/queue-events.ts';
import { queueIds } from '../queue/queue-id.ts';
import { QueuedGrants } from '../queue/queued-grant.ts';
import type { ReplyDesk } from '../reply/reply-desk.ts';
import type { ReplyAddress } from '../reply/reply-to.ts';
import type { RelayParts } from './relay-parts.ts';

export interface RelayQueueInit {
  readonly parts: RelayParts;
  readonly devices: PullableDevices;
  readonly replies: ReplyDesk;
  readonly windows: ReplyWindows;
  replyTo(address: ReplyAddress): string;
}

/** What of the one-box server is about queued pulls: they go down its own links, and their replies come back here. */
export class RelayQueue {
  readonly #init: RelayQueueInit;
  readonly #large: LargeBodies;
  readonly #ends: QueueEnds;
  readonly #delivery: QueueDelivery;
  /** Devices that may have some: a fleet that comes back must not cost a read each. */
  readonly #devices = new Set<string>();
  /** What earlier processes left is among them. */
  #knowsAll = false;
  readonly #work = new Set<Promise<unknown>>();
  readonly log: QueueLog;

  constructor(init: RelayQueueInit) {
    const { registry, queue: store, queueBodies: bodyStore, clock, log, settings } = init.parts;
    const { replyBytes, perCallerBytes } = settings.queue;
    this.#init = init;
    this.log = new QueueLog(log);
    const large = new LargeBodies({ store, bodyStore, clock, log: this.log, perCallerBytes });
    this.#large = large;
    this.#ends = new QueueEnds({ store, large, clock, log: this.log });
    this.#delivery = new QueueDelivery({
      store,
      ends: this.#ends,
      grants: new QueuedGrants({ registry, wall: () => clock.wall() }),
      devices: init.devices,
      clock,
      log: this.log,
      pullsPerLink: settings.limits.pullsPerLink,
      own: new OwnReplies({
        ...{ desk: init.replies, windows: init.windows, large, replyBytes },
        track: this.#track,
      }),
      newPullId: pullIds(randomBytes),
      replyTo: init.replyTo,
      // A pull that was sent by another process had a link of that one.
      say: () => Promise.resolve(),
      random: Math.random,
      track: this.#track,
    });
  }

  /** Learns which devices have any; until it has, and where it cannot, each that comes is looked at. */
  async start(): Promise<void> {
    const { queue, log } = this.#init.parts;
    try {
      for (const device of await queue.openDevices()) this.#devices.add(device);
      this.#knowsAll = true;
    } catch (err) {
      log.warn({ err }, 'the queue of pulls cannot be read yet');
    }
  }

  createService(callers: Callers): PullQueue {
    const { queue: store, clock, settings } = this.#init.parts;
    const delivery = this.#delivery;
    return new PullQueue({
      callers,
      store,
      delivery: {
        deliver: (device) => {
          this.#devices.add(device);
          return delivery.deliver(device);
        },
        settle: (pull) => delivery.settle(pull),
        cancel: (pull) => delivery.cancel(pull),
      },
      ends: this.#ends,
      large: this.#large,
      clock,
      log: this.log,
      settings: settings.queue,
      answerMs: settings.deadline.maxMs,
      newId: queueIds({ wall: () => clock.wall(), random: randomBytes }),
      track: this.#track,
    });
  }

  /** A link of the device opened. */
  linked(device: string): void {
    if (this.#knowsAll && !this.#devices.has(device)) return;
    this.#track(this.#delivery.deliver(device));
  }

  /** Sends nothing more; resolves when no answer is waited for any more. */
  async stop(): Promise<void> {
    this.#delivery.stop();
    await this.#delivery.answered();
    while (this.#work.size > 0) await Promise.allSettled(this.#work);
  }

  readonly #track = (work: Promise<unknown>): void => {
    this.#work.add(work);
    const done = () => this.#work.delete(work);
    work.then(done, done);
  };
}
