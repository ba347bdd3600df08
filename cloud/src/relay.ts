import { randomBytes } from 'node:crypto';
import {
  BufferCollector,
  type Clock,
  frameLimits,
  headLimitBytes,
  PullFault,
  pullIds,
} from '@pullwire/shared';
import type { Logger } from 'pino';
import type { Callers } from './auth/callers.ts';
import { KeyRotation } from './auth/key-rotation.ts';
import type { Throttle } from './auth/throttle.ts';
import { Enrolment, type EnrolmentEvents, type EnrolRefusal } from './enroll/enrolment.ts';
import type { Exchange } from './http/exchange.ts';
import { Front } from './http/front.ts';
import { problem } from './http/problem.ts';
import { uploadKey } from './object/upload-ticket.ts';
import { DeviceService } from './presence/device-service.ts';
import { IdleWatch } from './pull/idle-watch.ts';
import type { ReplyStore } from './pull/object-reply.ts';
import { PullInFlight, type ReplyObjects } from './pull/pull-in-flight.ts';
import { PullLog } from './pull/pull-log.ts';
import { PullService } from './pull/pull-service.ts';
import { PullTickets } from './pull/pull-tickets.ts';
import { RequestUploads, type UploadStore } from './pull/request-uploads.ts';
import { WindowBudget } from './pull/window-budget.ts';
import type { Registry } from './registry/registry.ts';
import { ReplyDesk } from './reply/reply-desk.ts';
import { mintReplyTo, replyToKey } from './reply/reply-to.ts';
import { CertificateWatch, readCertificate } from './server/certificate.ts';
import { OneBoxDevices } from './server/device-store.ts';
import { EnrolmentCounters } from './server/enrolment-counters.ts';
import { HttpHost, type ObjectDoor } from './server/http-host.ts';
import { type AdmittedLink, LinkDoor } from './server/link-door.ts';
import { LinkHost } from './server/link-host.ts';
import { LinkJournal } from './server/link-journal.ts';
import { LinkPenalty } from './server/link-penalty.ts';
import { LiveLinks } from './server/live-links.ts';
import { RefusalCounters } from './server/refusal-counters.ts';
import type { RelaySettings } from './server/relay-settings.ts';
import { remoteAddressOf } from './server/remote-address.ts';

export interface RelayParts {
  readonly settings: RelaySettings;
  /** Its schema is checked already. */
  readonly registry: Registry;
  readonly callers: Callers;
  /** Slows down whoever tries credentials at any of the doors. */
  readonly throttle: Throttle;
  /** Where agents dial, as it is known outside; undefined: as the relay listens. */
  readonly linkUrl: string | undefined;
  /** Rejects with `PullFault` where the token is not valid here. `port` is the one that is listened on. */
  admit(token: string | undefined, port: number): Promise<AdmittedLink>;
  /** Where large bodies go, as on AWS. Without it they stream, as on one box they can. */
  readonly objects?: RelayObjects;
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
}

/** An object storage whose signed URLs lie below `/objects/` of this relay. */
export interface RelayObjects extends ObjectDoor {
  readonly store: ReplyStore & UploadStore;
  /** Takes care of work that goes on beside a pull, and after it. */
  track(work: Promise<unknown>): void;
}

/** Counts for the log and for tests; everything in flight is 0 when nothing is going on. */
export interface RelaySnapshot {
  readonly links: number;
  readonly pullsInFlight: number;
  readonly registryWritesWaiting: number;
  readonly pulls: PullLog['counters'];
  readonly linkEvents: LinkHost['counters'];
  readonly strays: ReplyDesk['strays'];
  /** By reasons of closed sets. */
  readonly refusedHandshakes: RefusalCounters['counts'];
  readonly enrolled: number;
  readonly refusedEnrolments: Readonly<Partial<Record<EnrolRefusal, number>>>;
}

/** Of all replies together: what slow callers may hold in this process. */
const windowBytes = 96 * 1024 * 1024;

export function createRelay(parts: RelayParts): Relay {
  return new Relay(parts);
}

/** The one-box server, put together: the only place that knows all of its parts. */
export class Relay {
  readonly #parts: RelayParts;
  readonly #live = new LiveLinks();
  readonly #replyKey = replyToKey('1', randomBytes(32));
  readonly #replies: ReplyDesk;
  readonly #pullLog: PullLog;
  readonly #journal: LinkJournal;
  readonly #uploads: RequestUploads | undefined;
  readonly #devices: OneBoxDevices;
  readonly #links: LinkHost;
  readonly #http: HttpHost;
  readonly #certificate: CertificateWatch | undefined;
  readonly #idle: IdleWatch;
  readonly #penalty: LinkPenalty;
  readonly #refusedHandshakes = new RefusalCounters();
  readonly #enrolments = new EnrolmentCounters();
  #port: number;
  #registryVersion = 0;
  #draining = false;

  constructor(parts: RelayParts) {
    const { settings, registry, clock, log } = parts;
    this.#parts = parts;
    this.#port = settings.listen.port;
    this.#penalty = new LinkPenalty(clock);
    this.#replies = new ReplyDesk([this.#replyKey], () => Math.floor(clock.wall() / 1_000));
    this.#pullLog = new PullLog(log);
    this.#journal = new LinkJournal({
      registry,
      clock,
      failed: (err, waiting) => log.warn({ err, waiting }, 'the registry cannot be written'),
    });
    this.#devices = new OneBoxDevices({
      registry,
      live: this.#live,
      clock,
      revoke: (device, why) => this.#links.revoke(device, why),
    });
    this.#links = this.#createLinks();
    this.#uploads = this.#createUploads();
    this.#http = this.#createHttp();
    this.#certificate = this.#createCertificateWatch();
    this.#idle = this.#createIdleWatch();
  }

  /** Resolves when it listens; rejects where it cannot. */
  async start(): Promise<{ readonly url: string; readonly port: number }> {
    const { listen, tls } = this.#parts.settings;
    this.#port = await this.#http.start();
    this.#certificate?.start();
    this.#idle.start();
    const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
    const scheme = tls === undefined ? 'http' : 'https';
    return { url: `${scheme}://${host}:${this.#port}`, port: this.#port };
  }

  /** Takes no new work, lets what is under way finish within `drainMs`, tells the agents, and ends. */
  async stop(): Promise<void> {
    const { drainMs } = this.#parts.settings;
    this.#draining = true;
    this.#certificate?.stop();
    this.#http.stopAccepting();
    this.#links.drainAll(drainMs);
    await this.#pullsEnded(drainMs);
    this.#links.endAll();
    this.#idle.stop();
    await this.#http.stop();
    await this.#journal.flush();
    this.#journal.stop();
  }

  /** An operator wrote to the registry: what was cached no longer counts, and links are checked again. */
  registryChanged(): void {
    this.#registryVersion += 1;
    this.#devices.forget();
    void this.#links.recheck();
  }

  snapshot(): RelaySnapshot {
    return {
      links: this.#live.size,
      pullsInFlight: this.#replies.size,
      registryWritesWaiting: this.#journal.waiting,
      pulls: { ...this.#pullLog.counters },
      linkEvents: { ...this.#links.counters },
      strays: { ...this.#replies.strays },
      refusedHandshakes: this.#refusedHandshakes.counts,
      ...this.#enrolments.counts,
    };
  }

  #createLinks(): LinkHost {
    const { settings, registry, clock, log, version } = this.#parts;
    const { heartbeat, limits } = settings;
    const pulls = limits.pullsPerLink;
    return new LinkHost({
      clock,
      live: this.#live,
      journal: this.#journal,
      replies: this.#replies,
      registry,
      rotation: new KeyRotation({ registry }),
      log,
      collector: new BufferCollector(),
      heartbeat,
      terms: {
        relay: `pullwire-relay/${version}`,
        limits: { ...frameLimits['pullwire.v1+bin'], headBytes: headLimitBytes, pulls },
        heartbeat,
        features: this.#parts.objects === undefined ? ['rotate'] : ['rotate', 'upload'],
      },
      newConnectionId: () => randomBytes(12).toString('base64url'),
      registryVersion: () => this.#registryVersion,
      linked: (device) => this.#devices.linked(device),
      flooded: (device) => this.#penalty.given(device),
    });
  }

  #createPulls(): PullService {
    const { settings, callers, clock } = this.#parts;
    const { deadline, limits } = settings;
    const host = randomBytes(9).toString('base64url');
    return new PullService({
      callers,
      devices: this.#devices,
      replies: this.#replies,
      clock,
      limits: {
        defaultDeadlineMs: deadline.defaultMs,
        maxDeadlineMs: deadline.maxMs,
        requestBodyBytes: limits.requestBodyBytes,
        pullsPerLink: limits.pullsPerLink,
        pullsPerCaller: limits.pullsPerCaller,
      },
      ...this.#objects(),
      windows: new WindowBudget(windowBytes),
      tickets: new PullTickets({
        newPullId: pullIds(randomBytes),
        replyTo: (address) => mintReplyTo(this.#replyKey, { ...address, host }),
        wall: () => clock.wall(),
      }),
      ended: this.#pullLog.ended,
      refused: this.#pullLog.refused,
    });
  }

  #createUploads(): RequestUploads | undefined {
    const { objects, settings, callers, clock, log } = this.#parts;
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

  #objects(): { objects?: ReplyObjects; uploads?: RequestUploads } {
    const { objects } = this.#parts;
    if (objects === undefined || this.#uploads === undefined) return {};
    const { store } = objects;
    const track = (work: Promise<unknown>) => objects.track(work);
    return {
      objects: { store, streamBytes: Number.POSITIVE_INFINITY, track },
      uploads: this.#uploads,
    };
  }

  #createHttp(): HttpHost {
    const { settings, callers, clock, log } = this.#parts;
    const front = new Front({
      pulls: this.#createPulls(),
      enrolments: this.#createEnrolment(),
      devices: new DeviceService({ callers, store: this.#devices, wall: () => clock.wall() }),
      ...(this.#uploads === undefined ? undefined : { uploads: this.#uploads }),
      readiness: () =>
        this.#draining ? { ready: false, why: 'the relay is shutting down' } : { ready: true },
      failed: (err) => log.error({ err }, 'a request could not be handled'),
    });
    const door = this.#createDoor();
    return new HttpHost({
      listen: settings.listen,
      tls: settings.tls === undefined ? undefined : readCertificate(settings.tls),
      headBytes: settings.limits.headBytes,
      remoteAddress: remoteAddressOf(settings.trustedProxy),
      handle: (exchange) => (this.#draining ? refuseDraining(exchange) : front.handle(exchange)),
      objects: this.#parts.objects,
      upgrade: (request, socket, head) => void door.upgrade(request, socket, head),
    });
  }

  #createEnrolment(): Enrolment {
    const { registry, clock, linkUrl, throttle, log } = this.#parts;
    const events: EnrolmentEvents = {
      enrolled: (enrolled) => {
        this.#enrolments.enrolled();
        log.info(enrolled, 'device enrolled');
        this.#devices.forget();
        // Its key may have taken the place of another, whose links end now.
        void this.#links.check(enrolled.device);
      },
      refused: (refused) => {
        this.#enrolments.refused(refused.reason);
        log.warn(refused, 'enrolment refused');
      },
    };
    return new Enrolment({ registry, clock, linkUrl, throttle, events });
  }

  #createDoor(): LinkDoor {
    const { settings, admit, throttle, log } = this.#parts;
    return new LinkDoor({
      throttle,
      maxLinks: settings.limits.links,
      links: () => this.#links.size,
      linksOf: (device) => this.#live.of(device).length,
      registryVersion: () => this.#registryVersion,
      remoteAddress: remoteAddressOf(settings.trustedProxy),
      draining: () => this.#draining,
      admit: async (token) => {
        const admitted = await admit(token, this.#port);
        this.#penalty.check(admitted.identity.device);
        return admitted;
      },
      opened: (opened) => this.#links.open(opened),
      refused: (fault, remoteAddress) => {
        this.#refusedHandshakes.count(fault);
        const { code, message, cause } = fault;
        log.warn({ code, detail: message, remoteAddress, err: cause }, 'link refused');
      },
    });
  }

  #createCertificateWatch(): CertificateWatch | undefined {
    const { settings, log } = this.#parts;
    const { tls } = settings;
    if (tls === undefined) return undefined;
    return new CertificateWatch(tls, {
      renewed: (pair) => {
        this.#http.renew(pair);
        log.info({ cert: tls.cert }, 'certificate renewed');
      },
      failed: (err) => log.warn({ err }, 'the certificate cannot be renewed (yet)'),
    });
  }

  #createIdleWatch(): IdleWatch {
    const replies = this.#replies;
    return new IdleWatch({
      clock: this.#parts.clock,
      idleMs: this.#parts.settings.idleMs,
      pulls: function* () {
        for (const pull of replies.all()) if (pull instanceof PullInFlight) yield pull;
      },
    });
  }

  /** Resolves when no pull is in flight any more, or after `withinMs`. */
  #pullsEnded(withinMs: number): Promise<void> {
    if (this.#replies.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#parts.clock.after(withinMs, resolve);
      this.#replies.whenEmpty(() => {
        timer.cancel();
        resolve();
      });
    });
  }
}

function refuseDraining(exchange: Exchange): void {
  const fault = new PullFault('relay-draining', 'lookup', {
    detail: 'the relay is shutting down',
    retryAfterMs: 2_000,
  });
  const headers = ['Connection', 'close'];
  exchange.answer(problem(fault, { method: exchange.method, answeredBy: 'relay', headers }));
}
