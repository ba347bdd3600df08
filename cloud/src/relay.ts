import type { EnrolRefusal } from './enroll/enrolment.ts';
import type { PullLog } from './pull/pull-log.ts';
import type { ReplyDesk } from './reply/reply-desk.ts';
import { EventLoopDelay, type EventLoopReport } from './server/event-loop-delay.ts';
import type { LinkHost } from './server/link-host.ts';
import type { RefusalCounters } from './server/refusal-counters.ts';
import { RelayHttp } from './server/relay-http.ts';
import { RelayLinks } from './server/relay-links.ts';
import type { RelayParts } from './server/relay-parts.ts';
import { RelayPulls } from './server/relay-pulls.ts';

/** Counts for the log and for tests; everything in flight is 0 when nothing is going on. */
export interface RelaySnapshot {
  readonly links: number;
  readonly pullsInFlight: number;
  readonly registryWritesWaiting: number;
  readonly pulls: PullLog['counters'];
  readonly eventStreams: number;
  readonly linkEvents: LinkHost['counters'];
  readonly strays: ReplyDesk['strays'];
  /** By reasons of closed sets, as are the further ones. */
  readonly refusedHandshakes: RefusalCounters['counts'];
  readonly refusedCallers: RefusalCounters['counts'];
  readonly enrolled: number;
  readonly refusedEnrolments: Readonly<Partial<Record<EnrolRefusal, number>>>;
  /** Since the last snapshot. */
  readonly eventLoop: EventLoopReport;
}

export function createRelay(parts: RelayParts): Relay {
  return new Relay(parts);
}

/** The one-box server, put together: its agents' side, its pulls, and its callers' side. */
export class Relay {
  readonly #parts: RelayParts;
  readonly #pulls: RelayPulls;
  readonly #links: RelayLinks;
  readonly #http: RelayHttp;
  readonly #delay: EventLoopDelay;
  #port: number;
  #draining = false;

  constructor(parts: RelayParts) {
    const draining = () => this.#draining;
    this.#parts = parts;
    this.#port = parts.settings.listen.port;
    this.#pulls = new RelayPulls(parts);
    this.#delay = new EventLoopDelay(parts.clock);
    this.#links = new RelayLinks({
      parts,
      replies: this.#pulls.replies,
      port: () => this.#port,
      draining,
      lateMs: () => this.#delay.lateMs,
    });
    this.#http = new RelayHttp({ parts, links: this.#links, pulls: this.#pulls, draining });
  }

  /** Resolves when it listens; rejects where it cannot. */
  async start(): Promise<{ readonly url: string; readonly port: number }> {
    const { listen, tls } = this.#parts.settings;
    this.#port = await this.#http.host.start();
    this.#delay.start();
    this.#http.certificate?.start();
    this.#pulls.idle.start();
    const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
    const scheme = tls === undefined ? 'http' : 'https';
    return { url: `${scheme}://${host}:${this.#port}`, port: this.#port };
  }

  /** Takes no new work, lets what is under way finish within `drainMs`, tells the agents, and ends. */
  async stop(): Promise<void> {
    const { drainMs } = this.#parts.settings;
    const { host: links, journal, presence } = this.#links;
    this.#draining = true;
    this.#http.certificate?.stop();
    this.#http.stopAccepting();
    links.drainAll(drainMs);
    await this.#pulls.ended(drainMs);
    links.endAll();
    this.#delay.stop();
    this.#pulls.idle.stop();
    await this.#http.host.stop();
    presence.stop();
    await journal.flush();
    journal.stop();
  }

  /**
   * An operator wrote to the registry: what was cached no longer counts, and the links of these devices are checked again;
   * those of all where it is not known which.
   */
  registryChanged(devices?: readonly string[]): void {
    this.#links.registryChanged(devices);
  }

  snapshot(): RelaySnapshot {
    const { host, journal, refused } = this.#links;
    const { replies, log } = this.#pulls;
    return {
      links: this.#links.size,
      pullsInFlight: replies.size,
      registryWritesWaiting: journal.waiting,
      pulls: { ...log.counters },
      eventStreams: this.#http.eventStreams,
      linkEvents: { ...host.counters },
      strays: { ...replies.strays },
      refusedHandshakes: refused.counts,
      refusedCallers: this.#http.refusedCallers.counts,
      ...this.#http.enrolments.counts,
      eventLoop: this.#delay.report(),
    };
  }
}
