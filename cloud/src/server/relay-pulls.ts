import { randomBytes } from 'node:crypto';
import { pullIds } from '@pullwire/shared';
import type { Callers } from '../auth/callers.ts';
import { uploadKey } from '../object/upload-ticket.ts';
import type { StoredFinderOptions } from '../offline/stored-finder.ts';
import { StoredPulls } from '../offline/stored-pulls.ts';
import { LinkProbes, type ProbeDoor } from '../presence/link-probes.ts';
import { IdleWatch } from '../pull/idle-watch.ts';
import type { ReplyObjects } from '../pull/object-transfer.ts';
import { PullInFlight } from '../pull/pull-in-flight.ts';
import { PullLog } from '../pull/pull-log.ts';
import { type PullLater, PullService } from '../pull/pull-service.ts';
import type { PullableDevices, ReturningPullables } from '../pull/pull-target.ts';
import { PullTickets } from '../pull/pull-tickets.ts';
import { RequestUploads } from '../pull/request-uploads.ts';
import { WindowBudget } from '../pull/window-budget.ts';
import { ReplyDesk } from '../reply/reply-desk.ts';
import { mintReplyTo, type ReplyAddress, replyToKey } from '../reply/reply-to.ts';
import type { RelayParts } from './relay-parts.ts';

/** Of all replies together: what slow callers may hold in this process. */
const windowBytes = 96 * 1024 * 1024;

/** What of the one-box server is about pulls: their replies, their log, and how they are begun. */
export class RelayPulls {
  readonly #parts: RelayParts;
  readonly #replyKey = replyToKey('1', randomBytes(32));
  readonly #tickets: PullTickets;
  readonly replies: ReplyDesk;
  readonly log: PullLog;
  readonly idle: IdleWatch;
  /** First credit of replies; those of queued pulls have theirs of it, too. */
  readonly windows = new WindowBudget(windowBytes);

  constructor(parts: RelayParts) {
    const { clock, settings, log } = parts;
    this.#parts = parts;
    this.log = new PullLog(log);
    const replies = new ReplyDesk([this.#replyKey], () => Math.floor(clock.wall() / 1_000));
    this.replies = replies;
    const host = randomBytes(9).toString('base64url');
    this.#tickets = new PullTickets({
      newPullId: pullIds(randomBytes),
      replyTo: (address) => mintReplyTo(this.#replyKey, { ...address, host }),
      wall: () => clock.wall(),
    });
    this.idle = new IdleWatch({
      clock,
      idleMs: settings.idleMs,
      pulls: function* () {
        for (const pull of replies.all()) if (pull instanceof PullInFlight) yield pull;
      },
    });
  }

  /** Signs where a reply belongs. */
  readonly replyTo = (address: ReplyAddress): string => mintReplyTo(this.#replyKey, address);

  /** On their way to links that `door` knows. */
  createProbes(door: ProbeDoor): LinkProbes {
    const { clock } = this.#parts;
    return new LinkProbes({ door, replies: this.replies, clock, tickets: this.#tickets });
  }

  createService(
    callers: Callers,
    devices: PullableDevices & ReturningPullables,
    uploads: RequestUploads | undefined,
    queue: PullLater,
  ): PullService {
    const { settings, clock } = this.#parts;
    const { deadline, limits } = settings;
    return new PullService({
      callers,
      devices,
      returning: devices,
      queue,
      replies: this.replies,
      clock,
      limits: {
        defaultDeadlineMs: deadline.defaultMs,
        maxDeadlineMs: deadline.maxMs,
        requestBodyBytes: limits.requestBodyBytes,
        pullsPerLink: limits.pullsPerLink,
        pullsPerCaller: limits.pullsPerCaller,
      },
      ...this.#objects(uploads),
      windows: this.windows,
      tickets: this.#tickets,
      random: Math.random,
      ended: this.log.ended,
      refused: this.log.refused,
    });
  }

  /** The same, for callers who take a stored answer too. */
  createStoredPulls(
    callers: Callers,
    pulls: PullService,
    reader: StoredFinderOptions['reader'],
  ): StoredPulls {
    const { registry, clock, settings } = this.#parts;
    const { pullsPerCaller } = settings.limits;
    const options = { pulls, callers, registry, reader, clock, pullsPerCaller };
    return new StoredPulls({ ...options, ...this.log.ofStored });
  }

  /** Undefined where bodies stream, and need no storage. */
  createUploads(callers: Callers): RequestUploads | undefined {
    const { objects, settings, clock, log } = this.#parts;
    if (objects === undefined) return undefined;
    return new RequestUploads({
      callers,
      store: objects.store,
      key: uploadKey('1', randomBytes(32)),
      clock,
      newId: () => randomBytes(16).toString('base64url'),
      mostBytes: settings.limits.requestBodyBytes,
      track: (work) => objects.track(work),
      issued: (upload) => log.info(upload, 'upload issued'),
    });
  }

  /** Resolves when no pull is in flight any more, or after `withinMs`. */
  ended(withinMs: number): Promise<void> {
    if (this.replies.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#parts.clock.after(withinMs, resolve);
      this.replies.whenEmpty(() => {
        timer.cancel();
        resolve();
      });
    });
  }

  #objects(uploads: RequestUploads | undefined): {
    objects?: ReplyObjects;
    uploads?: RequestUploads;
  } {
    const { objects } = this.#parts;
    if (objects === undefined || uploads === undefined) return {};
    const { store } = objects;
    const track = (work: Promise<unknown>) => objects.track(work);
    return { objects: { store, streamBytes: Number.POSITIVE_INFINITY, track }, uploads };
  }
}
