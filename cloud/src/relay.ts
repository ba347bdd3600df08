import type { ListenAddress } from '@pullwire/shared/listen-address';
import { LocalServer } from '@pullwire/shared/local-server';
import { type MetricFamily, metricsContentType, metricsText } from '@pullwire/shared/metrics';
import { EventLoopDelay, type EventLoopReport } from './server/event-loop-delay.ts';
import type { RelayCounts } from './server/relay-counts.ts';
import { RelayHttp } from './server/relay-http.ts';
import { RelayLinks } from './server/relay-links.ts';
import { relayMetrics } from './server/relay-metrics.ts';
import type { RelayParts } from './server/relay-parts.ts';
import { RelayPulls } from './server/relay-pulls.ts';
import { RelayQueue } from './server/relay-queue.ts';

/** For the log and for tests. */
export interface RelaySnapshot extends RelayCounts {
  /** Since the last snapshot. */
  readonly eventLoop: EventLoopReport;
  readonly memory: MemoryReport;
}

/** Bytes, as `process.memoryUsage` says: what the process has, and what of it this thread's objects take, garbage included. */
export interface MemoryReport {
  readonly resident: number;
  readonly heap: number;
  /** Buffers. */
  readonly external: number;
}

/** A caller's connection that is silent for so long is not waited for at the end. */
const quietMs = 1_000;

/** Agents that still have pulls here dial their next link within that: at the next relay, pulls wait for them. */
const moveWithinMs = 3_000;

/** The last writes get so long, even where pulls get none. */
const leastFlushMs = 2_000;

export function createRelay(parts: RelayParts): Relay {
  return new Relay(parts);
}

/** The one-box server, put together: its agents' side, its pulls, and its callers' side. */
export class Relay {
  readonly #parts: RelayParts;
  readonly #pulls: RelayPulls;
  readonly #links: RelayLinks;
  readonly #queue: RelayQueue;
  readonly #http: RelayHttp;
  readonly #delay: EventLoopDelay;
  readonly #monitors = new LocalServer({
    '/metrics': () => ({
      status: 200,
      type: metricsContentType,
      body: metricsText(this.metrics()),
    }),
  });
  #port: number;
  #draining = false;
  #retired: Promise<void> | undefined;
  #retiredAt = 0;

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
      linked: (device) => this.#queue.linked(device),
    });
    const { replies, replyTo, windows } = this.#pulls;
    const { devices } = this.#links;
    this.#queue = new RelayQueue({ parts, devices, replies, windows, replyTo });
    this.#http = new RelayHttp({
      parts,
      links: this.#links,
      pulls: this.#pulls,
      queue: this.#queue,
      draining,
    });
  }

  /** Resolves when it listens; rejects where it cannot. */
  async start(): Promise<{ readonly url: string; readonly port: number }> {
    const { listen, tls, metrics } = this.#parts.settings;
    if (metrics !== undefined) await this.#openMetrics(metrics);
    this.#port = await this.#http.host.start();
    this.#delay.start();
    this.#http.certificate?.start();
    this.#pulls.idle.start();
    void this.#queue.start();
    const host = listen.host.includes(':') ? `[${listen.host}]` : listen.host;
    const scheme = tls === undefined ? 'http' : 'https';
    return { url: `${scheme}://${host}:${this.#port}`, port: this.#port };
  }

  /**
   * Gives back the port and writes what the registry is to know, and nothing more from then on: another process may take
   * both over. Whoever is connected goes on being served.
   */
  retire(): Promise<void> {
    this.#retired ??= this.#retire();
    return this.#retired;
  }

  async #openMetrics({ host, port }: ListenAddress): Promise<void> {
    try {
      const taken = await this.#monitors.start({ host, port });
      this.#parts.log.info({ host, port: taken }, 'metrics can be read here');
    } catch (cause) {
      const text = `metrics.listen: cannot listen on ${host}:${port}; choose another port, or end the process that has it`;
      throw new Error(text, { cause });
    }
  }

  async #retire(): Promise<void> {
    const { journal, readings } = this.#links;
    const { settings } = this.#parts;
    this.#draining = true;
    this.#retiredAt = this.#parts.clock.monotonic();
    this.#http.certificate?.stop();
    this.#http.stopAccepting();
    this.#links.devices.stopWaiting();
    await this.#monitors.stop();
    // Answers that come now can still be kept.
    const written = Promise.all([journal.flush(), readings.stop(), this.#queue.stop()]);
    await this.#within(Math.max(leastFlushMs, settings.drainMs), written);
    journal.stop();
  }

  /** Resolves when the work is done, or after so many milliseconds. */
  async #within(ms: number, work: Promise<unknown>): Promise<void> {
    const late = Promise.withResolvers<void>();
    const timer = this.#parts.clock.after(ms, late.resolve);
    await Promise.race([work, late.promise]);
    timer.cancel();
  }

  /** Takes no new work, lets what is under way finish within `drainMs`, tells the agents, and ends. */
  async stop(): Promise<void> {
    const { host: links, presence } = this.#links;
    await this.retire();
    await this.#http.host.callersGone(quietMs, this.#leftMs);
    links.retireAll(Math.min(moveWithinMs, Math.round(this.#leftMs)));
    await this.#pulls.ended(this.#leftMs);
    links.endAll();
    this.#delay.stop();
    this.#pulls.idle.stop();
    await this.#http.host.stop();
    presence.stop();
  }

  /** Of the time that a shutdown may take. */
  get #leftMs(): number {
    const { settings, clock } = this.#parts;
    return Math.max(0, this.#retiredAt + settings.drainMs - clock.monotonic());
  }

  /**
   * An operator wrote to the registry: what was cached no longer counts, and the links of these devices are checked again;
   * those of all where it is not known which.
   */
  registryChanged(devices?: readonly string[]): void {
    this.#links.registryChanged(devices);
  }

  snapshot(): RelaySnapshot {
    return { ...this.#counts(), eventLoop: this.#delay.report(), memory: memoryReport() };
  }

  /** What Prometheus reads; unlike a snapshot it begins nothing anew. */
  metrics(): MetricFamily[] {
    const { version } = this.#parts;
    const { queuedBytes } = this.#links;
    return relayMetrics({ version, counts: this.#counts(), queuedBytes }, [
      ...this.#pulls.log.tally.metrics(),
      this.#delay.metrics(),
    ]);
  }

  #counts(): RelayCounts {
    const { host, journal, readings, refused } = this.#links;
    const { replies, log } = this.#pulls;
    return {
      links: this.#links.size,
      pullsInFlight: replies.size,
      pullsWaiting: this.#links.devices.waiting,
      registryWritesWaiting: journal.waiting,
      readings: { ...readings.counters, waiting: readings.size },
      pulls: { ...log.counters },
      queuedPulls: { ...this.#queue.log.counters },
      eventStreams: this.#http.eventStreams,
      linkEvents: { ...host.counters },
      strays: { ...replies.strays },
      refusedHandshakes: refused.counts,
      refusedCallers: this.#http.refusedCallers.counts,
      ...this.#http.enrolments.counts,
    };
  }
}

function memoryReport(): MemoryReport {
  const { rss, heapUsed, external } = process.memoryUsage();
  return { resident: rss, heap: heapUsed, external };
}
