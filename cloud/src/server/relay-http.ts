import type { Callers } from '../auth/callers.ts';
import { Enrolment } from '../enroll/enrolment.ts';
import { Front } from '../http/front.ts';
import { DeviceService } from '../presence/device-service.ts';
import { EventService } from '../presence/event-service.ts';
import { ReadingReader } from '../reading/reading-reader.ts';
import { ReadingsService } from '../reading/readings-service.ts';
import { CertificateWatch, readCertificate } from './certificate.ts';
import { CountedCallers } from './counted-callers.ts';
import { EnrolmentCounters } from './enrolment-counters.ts';
import { HttpHost } from './http-host.ts';
import { RefusalCounters } from './refusal-counters.ts';
import type { RelayLinks } from './relay-links.ts';
import type { RelayParts } from './relay-parts.ts';
import type { RelayPulls } from './relay-pulls.ts';
import type { RelayQueue } from './relay-queue.ts';
import { remoteAddressOf } from './remote-address.ts';

/** A body of `POST /enroll` or `POST /uploads` has at most a few kilobytes. */
const smallBodyMs = 20_000;

export interface RelayHttpInit {
  readonly parts: RelayParts;
  readonly links: RelayLinks;
  readonly pulls: RelayPulls;
  readonly queue: RelayQueue;
  draining(): boolean;
}

/** What of the one-box server is HTTP: one port, and behind it the routes. */
export class RelayHttp {
  readonly #init: RelayHttpInit;
  #events: EventService | undefined;
  readonly host: HttpHost;
  /** Undefined in the clear. */
  readonly certificate: CertificateWatch | undefined;
  readonly refusedCallers = new RefusalCounters();
  readonly enrolments = new EnrolmentCounters();

  constructor(init: RelayHttpInit) {
    this.#init = init;
    this.host = this.#createHost();
    this.certificate = this.#createCertificateWatch();
  }

  /** Streams of events that are open. */
  get eventStreams(): number {
    return this.#events?.size ?? 0;
  }

  /** Takes no new connections, and ends what would never end by itself. */
  stopAccepting(): void {
    this.host.stopAccepting();
    this.#events?.stop();
  }

  #createHost(): HttpHost {
    const { parts, links } = this.#init;
    const { settings, objects } = parts;
    const front = this.#createFront();
    return new HttpHost({
      clock: parts.clock,
      listen: settings.listen,
      tls: settings.tls === undefined ? undefined : readCertificate(settings.tls),
      headBytes: settings.limits.headBytes,
      smallBodyMs,
      remoteAddress: remoteAddressOf(settings.trustedProxy),
      handle: (exchange) => front.handle(exchange),
      objects,
      upgrade: (request, socket, head) => void links.door.upgrade(request, socket, head),
    });
  }

  #createFront(): Front {
    const { parts, links, pulls, draining } = this.#init;
    const { clock, log } = parts;
    const callers = new CountedCallers(parts.callers, this.refusedCallers);
    const uploads = pulls.createUploads(callers);
    const queue = this.#init.queue.createService(callers);
    const reader = new ReadingReader({ ...parts.readings, wall: () => clock.wall() });
    const service = pulls.createService(callers, links.devices, uploads, queue);
    return new Front({
      pulls: pulls.createStoredPulls(callers, service, () => reader),
      queue,
      enrolments: this.#createEnrolment(),
      readings: new ReadingsService({
        callers,
        registry: parts.registry,
        reader,
        clock,
        failed: (device, err) => log.warn({ device, err }, 'an answer with readings broke off'),
      }),
      devices: new DeviceService({
        callers,
        store: links.devices,
        probes: pulls.createProbes(links.probes),
        wall: () => clock.wall(),
      }),
      events: this.#createEvents(callers),
      ...(uploads === undefined ? undefined : { uploads }),
      readiness: () =>
        draining()
          ? { ready: false, why: 'the relay is shutting down' }
          : { ready: true, why: parts.registryTrouble?.() },
      failed: (err) => log.error({ err }, 'a request could not be handled'),
    });
  }

  #createEvents(callers: Callers): EventService {
    const { links, parts } = this.#init;
    this.#events = new EventService({ callers, log: links.presence.log, clock: parts.clock });
    return this.#events;
  }

  #createEnrolment(): Enrolment {
    const { registry, clock, linkUrl, throttle, log } = this.#init.parts;
    return new Enrolment({
      registry,
      clock,
      linkUrl,
      throttle,
      events: {
        enrolled: (enrolled) => {
          this.enrolments.enrolled();
          log.info(enrolled, 'device enrolled');
          this.#init.links.enrolled(enrolled.device);
        },
        refused: (refused) => {
          this.enrolments.refused(refused.reason);
          log.warn(refused, 'enrolment refused');
        },
      },
    });
  }

  #createCertificateWatch(): CertificateWatch | undefined {
    const { settings, log } = this.#init.parts;
    const { tls } = settings;
    if (tls === undefined) return undefined;
    return new CertificateWatch(tls, {
      renewed: (pair) => {
        this.host.renew(pair);
        log.info({ cert: tls.cert }, 'certificate renewed');
      },
      failed: (err) => log.warn({ err }, 'the certificate cannot be renewed (yet)'),
    });
  }
}
