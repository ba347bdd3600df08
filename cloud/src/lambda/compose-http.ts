import { randomBytes } from 'node:crypto';
import { type Clock, PullFault, pullIds } from '@pullwire/shared';
import type { Logger } from 'pino';
import { CallerAuth } from '../auth/caller-auth.ts';
import type { Issuers } from '../auth/issuers.ts';
import type { Poster } from '../connection/poster.ts';
import type { Enrolment } from '../enroll/enrolment.ts';
import { Front } from '../http/front.ts';
import type { UploadKey } from '../object/upload-ticket.ts';
import { DeviceService } from '../presence/device-service.ts';
import { EventPoll } from '../presence/event-poll.ts';
import { LinkProbes } from '../presence/link-probes.ts';
import { IdleWatch } from '../pull/idle-watch.ts';
import type { ReplyStore } from '../pull/object-reply.ts';
import { PullInFlight } from '../pull/pull-in-flight.ts';
import { PullLog } from '../pull/pull-log.ts';
import { PullService, type PullServiceOptions } from '../pull/pull-service.ts';
import type { PullTicket } from '../pull/pull-tickets.ts';
import { RequestUploads, type UploadStore } from '../pull/request-uploads.ts';
import { StallWatch } from '../pull/stall-watch.ts';
import type { QueueSettings } from '../queue/queue-settings.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import type { ReadingReader } from '../reading/reading-reader.ts';
import type { LinkRecord, Registry } from '../registry/registry.ts';
import { ReplyDesk } from '../reply/reply-desk.ts';
import { mintReplyTo, type ReplyToKey } from '../reply/reply-to.ts';
import type { QueueObjects } from './compose-queue.ts';
import { createHttp, type HttpHandler } from './http.ts';
import { inlineBytes } from './lambda-exchange.ts';
import { LateReadings } from './late-readings.ts';
import { LateStoredPulls } from './late-stored-pulls.ts';
import { LazyQueue } from './lazy-queue.ts';
import { PendingWork } from './pending-work.ts';
import { RemoteDevices, type ReplyWay } from './remote-devices.ts';
import { RemoteProbes } from './remote-probes.ts';
import { type ChannelSocket, type ChannelSocketEvents, ReplyChannel } from './reply-channel.ts';
import { replyLost } from './reply-lost.ts';
import { RevocationWatch } from './revocation-watch.ts';

export interface HttpSettings {
  readonly defaultDeadlineMs: number;
  readonly maxDeadlineMs: number;
}

export interface HttpComposition {
  readonly registry: Registry;
  readonly poster: Poster;
  readonly replyKey: ReplyToKey;
  /** Where queued pulls are kept. */
  readonly queueStore: QueueStore;
  readonly queueSettings: QueueSettings;
  readonly uploadKey: UploadKey;
  /** Dials the relay's own WebSocket API. */
  dial(events: ChannelSocketEvents): Promise<ChannelSocket>;
  /** Whose tokens callers may bring in place of keys. */
  readonly issuers?: Issuers | undefined;
  /** As agents dial it. */
  readonly linkUrl: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly settings: HttpSettings;
  /** Where large bodies go. */
  readonly store: ReplyStore & UploadStore & QueueObjects;
  /** Loaded with the first who asks for readings. */
  reader(): Promise<ReadingReader>;
}

/** A request body goes as frames of 22,000 bytes, a post each. */
const requestBodyBytes = 1_048_576;
/** One from the storage as well: 382 posts, one after the other, take some seconds. */
const uploadBytes = 8 * 1_048_576;
const pullsPerLink = 512;
/** A function URL streams 200 MB at most (AWS.md, "The HTTP side"). */
const streamBytes = 190_000_000;
const idleMs = 60_000;
/** Before Lambda ends a function, its reply is ended with a reason. */
const marginMs = 5_000;
/** A reply may take as long as a function may run, and its frames a while longer on their way. */
const replyToSeconds = 30 * 60;

/** One environment of the http function. */
export class HttpEnvironment {
  readonly channel: ReplyChannel;
  readonly handle: HttpHandler;
  readonly replies: ReplyDesk;
  readonly #parts: HttpComposition;
  readonly #pullLog: PullLog;
  readonly #work = new PendingWork();
  readonly #devices: RemoteDevices;
  readonly #probes: LinkProbes;
  #enrolment: Enrolment | undefined;
  #replyConnection: string | undefined;

  constructor(parts: HttpComposition) {
    const { clock, log, replyKey } = parts;
    this.#parts = parts;
    this.#pullLog = new PullLog(log);
    this.replies = new ReplyDesk([replyKey], () => Math.floor(clock.wall() / 1_000));
    this.channel = new ReplyChannel({
      dial: parts.dial,
      clock,
      received: (message) => {
        const reason = this.replies.passedOn(message);
        if (reason !== undefined)
          log.debug({ reason, action: message.action }, 'reply frame dropped');
      },
      moved: (connectionId) => this.#moveReplies(connectionId),
      waiting: () => this.replies.size > 0,
      lost: (fault) => this.#loseReplies(fault),
      ended: (why) => log.info({ why }, 'reply channel ended'),
    });
    this.#devices = this.#createDevices();
    this.#probes = this.#createProbes();
    this.handle = createHttp({
      front: this.#createFront(),
      work: this.#work,
      clock,
      begun: (remainingMs) => this.#watch(remainingMs),
    });
  }

  #createFront(): Front {
    const { registry, clock, log, issuers } = this.#parts;
    const callers = new CallerAuth({
      registry,
      clock,
      issuers,
      noteUse: (work) => this.#work.add(work),
    });
    const devices = this.#devices;
    const uploads = this.#createUploads(callers);
    const queue = this.#createQueue(callers);
    return new Front({
      pulls: new LateStoredPulls({
        ...{ callers, registry, clock, ...this.#pullLog.ofStored },
        pulls: this.#createPulls({ callers, uploads, queue }),
        reader: () => this.#parts.reader(),
      }),
      queue,
      uploads,
      enrolments: {
        enrol: async (exchange) => {
          this.#enrolment ??= await this.#createEnrolment();
          return this.#enrolment.enrol(exchange);
        },
      },
      readings: new LateReadings({ ...this.#parts, callers }),
      devices: new DeviceService({
        callers,
        store: devices,
        probes: this.#probes,
        wall: () => clock.wall(),
      }),
      events: new EventPoll({ callers, store: devices, clock }),
      readiness: () => ({ ready: true }),
      failed: (err) => log.error({ err }, 'a request could not be handled'),
    });
  }

  /** Seldom needed: loaded with the first that comes, not at each cold start. */
  async #createEnrolment(): Promise<Enrolment> {
    const { Enrolment } = await import('../enroll/enrolment.ts');
    const { registry, clock, linkUrl, log } = this.#parts;
    return new Enrolment({
      registry,
      clock,
      linkUrl,
      events: {
        enrolled: (enrolled) => log.info(enrolled, 'device enrolled'),
        refused: (refused) => log.warn(refused, 'enrolment refused'),
      },
    });
  }

  #createQueue(callers: CallerAuth): LazyQueue {
    const { queueStore: store, settings } = this.#parts;
    const answerMs = settings.maxDeadlineMs;
    const objects = async () => this.#parts.store;
    return new LazyQueue({
      ...{ ...this.#parts, settings: this.#parts.queueSettings },
      ...{ store, objects, work: this.#work, callers, answerMs },
    });
  }

  #createDevices(): RemoteDevices {
    const { registry, clock, poster } = this.#parts;
    return new RemoteDevices({
      registry,
      poster,
      clock,
      work: this.#work,
      gone: this.#gone,
      channel: this.#replyWay,
    });
  }

  #createProbes(): LinkProbes {
    const { registry, clock, poster } = this.#parts;
    const door = new RemoteProbes({
      registry,
      poster,
      clock,
      channel: this.#replyWay,
      gone: (link) => this.#gone(link, link.connectionId),
    });
    return new LinkProbes({ door, replies: this.replies, clock, tickets: this.#tickets });
  }

  readonly #gone = ({ device, instance }: LinkRecord, connectionId: string): void =>
    this.#parts.log.warn({ device, instance, connectionId, code: 'gone' }, 'connection gone');

  readonly #replyWay: ReplyWay = {
    ready: async () => {
      this.#replyConnection = await this.channel.ready();
      return this.#replyConnection;
    },
    prove: () => this.channel.prove(),
  };

  #createUploads(callers: CallerAuth): RequestUploads {
    const { store, uploadKey, clock, log } = this.#parts;
    return new RequestUploads({
      callers,
      store,
      key: uploadKey,
      clock,
      newId: () => randomBytes(16).toString('base64url'),
      mostBytes: uploadBytes,
      track: (work) => this.#work.add(work),
      issued: (upload) => log.info(upload, 'upload issued'),
    });
  }

  #createPulls(doors: Pick<PullServiceOptions, 'callers' | 'uploads' | 'queue'>): PullService {
    const { clock, settings } = this.#parts;
    return new PullService({
      ...doors,
      devices: this.#devices,
      replies: this.replies,
      clock,
      limits: { ...settings, requestBodyBytes, pullsPerLink },
      objects: {
        store: this.#parts.store,
        streamBytes,
        track: (work) => this.#work.add(work),
      },
      windows: { take: () => inlineBytes, give: () => undefined },
      tickets: this.#tickets,
      random: Math.random,
      ended: this.#pullLog.ended,
      refused: this.#pullLog.refused,
    });
  }

  readonly #newPullId = pullIds(randomBytes);

  readonly #tickets = {
    next: (device: string): PullTicket => {
      const pullId = this.#newPullId();
      return { pullId, replyTo: this.#replyTo(pullId, device) };
    },
  };

  #replyTo(pullId: string, device: string): string {
    const { replyKey, clock } = this.#parts;
    const host = this.#replyConnection ?? '';
    const expiresAt = Math.ceil(clock.wall() / 1_000) + replyToSeconds;
    return mintReplyTo(replyKey, { host, pullId, device, expiresAt });
  }

  #moveReplies(connectionId: string): void {
    this.#replyConnection = connectionId;
    this.#probes.giveUp();
    for (const pull of this.#pulls()) pull.moveReplies(this.#replyTo(pull.pullId, pull.device));
  }

  #loseReplies(cause: PullFault): void {
    this.#probes.giveUp();
    for (const pull of this.#pulls()) pull.giveUp(replyLost(cause), 'relay');
  }

  /** Watches over one invocation; returns what ends that. */
  #watch(remainingMs: number): () => void {
    const { clock } = this.#parts;
    const pulls = () => this.#pulls();
    const idle = new IdleWatch({ clock, idleMs, pulls });
    const stall = new StallWatch({ clock, pulls });
    const revocation = new RevocationWatch({
      clock,
      pulls,
      stands: (device) => this.#devices.stands(device),
      track: (look) => this.#work.add(look),
    });
    idle.start();
    stall.start();
    revocation.start();
    const timer = clock.after(Math.max(1, remainingMs - marginMs), () => this.#endAll(remainingMs));
    return () => {
      timer.cancel();
      idle.stop();
      stall.stop();
      revocation.stop();
    };
  }

  #endAll(ms: number): void {
    const detail = `the reply was not complete after the ${ms} ms that this host may take`;
    for (const pull of this.#pulls()) {
      pull.giveUp(new PullFault('stream-limit', 'stream', { detail }), 'relay');
    }
  }

  #pulls(): PullInFlight[] {
    return [...this.replies.all()].filter((pull) => pull instanceof PullInFlight);
  }
}
