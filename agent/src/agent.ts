import type { SecureContext } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import type { Clock } from '@pullwire/shared';
import type { MetricFamily } from '@pullwire/shared/metrics';
import { infoLines } from '@pullwire/shared/process-log';
import type { Logger } from 'pino';
import { helloOf } from './agent-hello.ts';
import { AgentReadings } from './agent-readings.ts';
import type { AgentIdentity, AgentSnapshot } from './agent-snapshot.ts';
import { AgentSources } from './agent-sources.ts';
import type { AgentConfig } from './config/agent-config.ts';
import { AgentHealth } from './health/agent-health.ts';
import { agentMetrics } from './health/agent-metrics.ts';
import { SourceTally } from './health/source-tally.ts';
import { TodayBytes } from './health/today-bytes.ts';
import { KeyRing } from './identity/key-ring.ts';
import { canAnybodyRead, readTokenFile } from './identity/token-file.ts';
import { AgentLink, type FinalRefusal } from './link/agent-link.ts';
import { IdlePath } from './link/idle-path.ts';
import { LinkPace } from './link/link-pace.ts';
import { PathMemory } from './link/path-memory.ts';
import { type Environment, openTunnel, proxyFor, withoutCredentials } from './link/proxy.ts';
import { relayTrust, resumingTrust } from './link/relay-trust.ts';
import { TlsSessions } from './link/tls-sessions.ts';
import { PullDesk } from './pull/pull-desk.ts';
import { HttpsPartStore } from './reply/https-part-store.ts';
import { version } from './version.ts';

export interface AgentDeps {
  readonly clock: Clock;
  /** In [0, 1). */
  random(): number;
  /** Unique, 16–64 characters of base64url: for the tokens' `jti`, and for the `run` of links. */
  newId(): string;
  readonly env: Environment;
  readFile(path: string): Buffer;
  readonly logger: Logger;
  /** The relay will never take this agent again; it has stopped dialling. */
  onFinal(refusal: FinalRefusal): void;
}

/** For the steps of a link that no setting changes. */
const linkLimits = { handshakeMs: 15_000, welcomeMs: 10_000, closeMs: 2_000 };

const nothingMoved = { bytesIn: 0, bytesOut: 0 };

/** What a reload changes without a restart. */
const reloaded: ReadonlySet<string> = new Set(['sources', 'schedules', 'labels', 'log']);

export function createAgent(config: AgentConfig, deps: AgentDeps): Agent {
  return new Agent(config, deps);
}

/** The composition root: one device's link, and the pulls that it brings to the sources. */
export class Agent {
  #config: AgentConfig;
  readonly #deps: AgentDeps;
  readonly #sources: AgentSources;
  readonly #desk: PullDesk;
  readonly #parts: HttpsPartStore;
  readonly #paths: PathMemory;
  readonly #tally: SourceTally;
  readonly #health: AgentHealth;
  readonly #today: TodayBytes;
  readonly #startedAt: { readonly wall: number; readonly monotonic: number };
  #keys: KeyRing | undefined;
  readonly #readings: AgentReadings;
  #context: SecureContext | undefined;
  #link: AgentLink | undefined;

  constructor(config: AgentConfig, deps: AgentDeps) {
    const { clock, logger, env } = deps;
    const { insecure, uploadHosts } = config;
    this.#config = config;
    this.#deps = deps;
    this.#paths = new PathMemory(`${config.keyFile}.paths.json`, logger);
    const rules = { relayHost: new URL(config.relay).hostname, hosts: uploadHosts, insecure };
    const secureContext = (): SecureContext => this.#secureContext();
    this.#parts = new HttpsPartStore({ rules, secureContext, env, clock });
    this.#tally = new SourceTally(clock);
    this.#startedAt = { wall: clock.wall(), monotonic: clock.monotonic() };
    this.#health = new AgentHealth(config, this, logger);
    this.#today = new TodayBytes(clock, () => this.#link?.snapshot().counters ?? nothingMoved);
    const audit = infoLines(logger, 'pull');
    this.#desk = new PullDesk({
      sources: new Map(),
      maxPulls: config.maxPulls,
      clock,
      parts: this.#parts,
      audit: (line) => {
        this.#tally.note(line);
        audit(line);
      },
    });
    this.#readings = new AgentReadings(config.spool, {
      ...deps,
      pulls: this.#desk,
      aheadMs: () => this.#link?.aheadMs ?? 0,
    });
    this.#sources = new AgentSources(deps, (sources) => this.#desk.replaceSources(sources));
  }

  /**
   * Reads the key, opens the sources and begins to dial. Aborting `signal` ends the link without draining it.
   *
   * @throws KeyError, SourceOpenError, ConfigError, ProxyError, HealthError: what was configured is not there, or not usable.
   */
  async start(signal?: AbortSignal): Promise<void> {
    const keys = await this.#readKeys();
    this.#keys = keys;
    await this.#paths.start();
    const proxy = proxyFor(new URL(this.#config.relay), this.#deps.env);
    await this.#take(this.#config);
    this.#link = this.#createLink(keys, proxy);
    await this.#health.start();
    this.#logStart(proxy);
    this.#link.start(signal);
    this.#today.start();
    await this.#readings.take(this.#config.schedules);
  }

  /** Drains the link for `drainMs` at most, then closes everything. Tries every part. */
  async stop(): Promise<void> {
    this.#readings.quieten();
    const [link] = await Promise.allSettled([this.#link?.stop()]);
    await this.#readings.stop();
    this.#parts.close();
    this.#today.stop();
    await this.#health.stop();
    await this.#paths.stop();
    await this.#sources.close();
    if (link.status === 'rejected') throw link.reason;
  }

  /**
   * Takes other sources, schedules, labels and log level at once, without a redial. Returns the settings that differ and need a
   * restart.
   *
   * @throws SourceOpenError, ConfigError where a source cannot be opened or announced; nothing has changed then.
   */
  async reload(next: AgentConfig): Promise<readonly string[]> {
    const { sources, schedules, labels, log } = next;
    await this.#take({ ...this.#config, sources, schedules, labels, log });
    await this.#readings.take(schedules);
    this.#deps.logger.level = log.level;
    this.#link?.repeatHello(helloOf(this.#config, this.#sources.infos));
    return Object.entries(next)
      .filter(
        ([name, value]) => !reloaded.has(name) && !isDeepStrictEqual(value, this.#setting(name)),
      )
      .map(([name]) => name);
  }

  /** Whether no link has opened yet. */
  get neverLinked(): boolean {
    return (this.#link?.snapshot().counters.links ?? 0) === 0;
  }

  /** Why there is no link, for people. */
  get lastTrouble(): string | undefined {
    return this.#link?.lastTrouble;
  }

  /** Whether there is a link now. */
  get linked(): boolean {
    return this.#link?.snapshot().linked ?? false;
  }

  snapshot(): AgentSnapshot {
    const keys = this.#keys;
    return {
      agent: this.#identity(),
      link: this.#link?.snapshot(),
      today: this.#today.snapshot(),
      key: keys && { publicKey: keys.publicKey, changing: keys.isChanging },
      pulls: { inFlight: this.#desk.inFlight, ...this.#desk.counters },
      sources: this.#sources.infos.map(({ name }) => name),
      sourceUse: this.#tally.snapshot(),
      readings: this.#readings.snapshot(),
    };
  }

  /** What Prometheus reads. */
  metrics(): MetricFamily[] {
    return agentMetrics(version, this.snapshot(), this.#tally.metrics());
  }

  #identity(): AgentIdentity {
    const { device, instance, relay } = this.#config;
    const { wall, monotonic } = this.#startedAt;
    return {
      ...{ version, device, instance, relay },
      pid: process.pid,
      startedAt: new Date(wall).toISOString(),
      upMs: Math.round(this.#deps.clock.monotonic() - monotonic),
    };
  }

  /** All of it, or nothing. */
  async #take(config: AgentConfig): Promise<void> {
    await this.#sources.replace(config.sources, (infos) => helloOf(config, infos));
    this.#tally.use([...config.sources.keys()]);
    this.#config = config;
  }

  #setting(name: string): unknown {
    return this.#config[name as keyof AgentConfig];
  }

  /** Undefined where an issuer's token stands in the key's place. */
  async #readKeys(): Promise<KeyRing | undefined> {
    const { tokenFile, keyFile } = this.#config;
    if (tokenFile !== null) {
      if (await canAnybodyRead(tokenFile)) {
        this.#deps.logger.warn({ tokenFile }, 'everybody on this host can read the token');
      }
      return undefined;
    }
    const keys = new KeyRing(keyFile, this.#deps.logger);
    await keys.start();
    return keys;
  }

  #createLink(keys: KeyRing | undefined, proxy: URL | undefined): AgentLink {
    const { relay, subprotocols, redial, drainMs } = this.#config;
    const { clock, random, logger, onFinal } = this.#deps;
    const secureContext = this.#secureContext();
    const resumingContext = resumingTrust(this.#config.ca);
    const sessions = new TlsSessions(clock);
    return new AgentLink({
      url: relay,
      subprotocols,
      hello: helloOf(this.#config, this.#sources.infos),
      receiver: this.#desk,
      readings: this.#readings.sender,
      keys,
      dial: async (now) => ({
        headers: { authorization: `Bearer ${await this.#token(keys, now)}` },
        secureContext,
        resumingContext,
        sessions,
        tunnel: proxy && openTunnel(proxy, secureContext),
      }),
      redial,
      pace: this.#createPace(),
      limits: { ...linkLimits, drainMs },
      clock,
      random,
      newRun: () => this.#deps.newId(),
      logger,
      onFinal,
    });
  }

  #createPace(): LinkPace {
    const { relay, heartbeat, metered } = this.#config;
    const { clock, logger } = this.#deps;
    const { host } = new URL(relay);
    const path = new IdlePath(clock, this.#paths.known(host), (known) =>
      this.#paths.keep(host, known),
    );
    const { dailyBytes } = metered;
    return new LinkPace({ clock, bounds: heartbeat, path, dailyBytes, logger });
  }

  #secureContext(): SecureContext {
    this.#context ??= relayTrust(this.#config.ca);
    return this.#context;
  }

  /** `now`: the relay's time, as far as it is known. */
  #token(keys: KeyRing | undefined, now: number): Promise<string> {
    const { device, instance, audience, tokenFile } = this.#config;
    if (keys === undefined) return readTokenFile(tokenFile ?? '');
    return keys.sign({ device, instance, audience, jti: this.#deps.newId(), now });
  }

  #logStart(proxy: URL | undefined): void {
    const { relay, device, instance } = this.#config;
    const sources = this.#sources.infos.map(({ name }) => name);
    const through = proxy && withoutCredentials(proxy);
    this.#deps.logger.info(
      { version, relay, device, instance, sources, proxy: through },
      'agent starts',
    );
  }
}
