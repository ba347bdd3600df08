import type {
  BufferCollector,
  Clock,
  HeartbeatTerms,
  Hello,
  OfferedKey,
  Rotated,
} from '@pullwire/shared';
import { codecFor } from '@pullwire/shared';
import type { Logger } from 'pino';
import type { KeyRotation } from '../auth/key-rotation.ts';
import type { PresenceFeed } from '../presence/presence-feed.ts';
import type { DeviceRecord, Registry } from '../registry/registry.ts';
import type { ReplyDesk } from '../reply/reply-desk.ts';
import { LinkSession, type WelcomeTerms } from '../session/link-session.ts';
import { MessageBudget } from '../session/message-budget.ts';
import { AgentSocket } from './agent-socket.ts';
import { DeviceChecks } from './device-checks.ts';
import type { OpenedSocket } from './link-door.ts';
import type { LinkJournal } from './link-journal.ts';
import { LinkKeys } from './link-keys.ts';
import { LiveLink } from './live-link.ts';
import type { LiveLinks } from './live-links.ts';
import { OfferedKeys } from './offered-keys.ts';
import type { ReadingDesk } from './reading-desk.ts';

export interface LinkHostOptions {
  readonly clock: Clock;
  readonly live: LiveLinks;
  readonly journal: LinkJournal;
  readonly replies: ReplyDesk;
  readonly registry: Pick<Registry, 'deviceRecord'>;
  readonly rotation: Pick<KeyRotation, 'offer'>;
  readonly readings: Pick<ReadingDesk, 'link'>;
  readonly terms: WelcomeTerms;
  readonly heartbeat: HeartbeatTerms;
  readonly log: Logger;
  readonly collector: BufferCollector;
  newConnectionId(): string;
  registryVersion(): number;
  /** A link was ended for flooding. */
  flooded(device: string): void;
  /** A device's link opened: what was known of its absence no longer counts. */
  linked(device: string): void;
  /** Hears of devices that come and go, whichever of their links that was. */
  readonly presence: Pick<PresenceFeed, 'changed'>;
}

export interface LinkCounters {
  opened: number;
  closed: number;
  ignored: number;
}

/** The links that agents have open here, each with its socket and session. */
export class LinkHost {
  readonly #options: LinkHostOptions;
  readonly #sessions = new Map<string, LinkSession>();
  readonly counters: LinkCounters = { opened: 0, closed: 0, ignored: 0 };
  #lastConnectedAt = 0;
  readonly checks: DeviceChecks;

  constructor(options: LinkHostOptions) {
    const { clock, live, registry, log } = options;
    this.#options = options;
    this.checks = new DeviceChecks({
      ...{ clock, live, registry, log },
      revoke: (links, why) => this.#revoke(links, why),
      askRotation: (device, askedAt) => this.#askRotation(device, askedAt),
    });
  }

  /** Sockets that have passed the handshake, greeted or not. */
  get size(): number {
    return this.#sessions.size;
  }

  open(opened: OpenedSocket): void {
    const connectionId = this.#options.newConnectionId();
    const { clock, heartbeat, replies, terms, collector } = this.#options;
    let link: LiveLink | undefined;
    const budget = new MessageBudget(clock);
    const socket = new AgentSocket({
      connectionId,
      ws: opened.ws,
      socket: opened.socket,
      codec: codecFor(opened.subprotocol),
      clock,
      heartbeat,
      collector,
      events: {
        message: (message) => session.receive(message),
        room: (pullId) => link?.room(pullId),
        pinged: () => session.pinged(),
        closed: (why) => session.lost(why),
      },
    });
    const log = this.#options.log.child({ ...opened.identity, connectionId });
    const offered = new OfferedKeys({
      offer: (key) => this.#offer(opened, key),
      answer: (rotated) => {
        log.info({ refused: rotated.refused }, 'the device offered another key');
        if (session.state !== 'closed') socket.control(rotated);
      },
      // Without an answer the agent goes on with its key, and offers this one again when it is asked again.
      failed: (err) => log.warn({ err }, 'an offered key could not be noted'),
    });
    const readings = this.#options.readings.link(opened.identity.device, (answer) => {
      // An agent that does not know the word sends the batch again in its own time.
      if (answer.action === 'held' && link?.has('hold') !== true) return;
      if (session.state !== 'closed') socket.control(answer);
    });
    const session = new LinkSession({
      identity: opened.identity,
      connection: socket,
      replies,
      clock,
      terms,
      budget,
      events: {
        opened: (hello) => {
          link = this.#opened(opened, socket, { hello, budget }, log);
          socket.watch(hello.heartbeatMs);
        },
        offered: (key) => offered.take(key),
        reading: (batch) => readings.take(batch),
        described: (hello) => {
          socket.watch(hello.heartbeatMs);
          // Another pace alone is nothing that the registry keeps.
          if (link?.describe(hello) !== true) return;
          this.#options.journal.described(link.record());
          log.info({ sources: hello.sources.length }, 'link described anew');
        },
        draining: () => {
          if (link !== undefined) link.draining = true;
          log.info('link draining: no new pulls');
        },
        closed: (why) => {
          readings.close();
          if (why === 'too-many-messages') this.#options.flooded(opened.identity.device);
          this.#closed(connectionId, link, why, log);
        },
        stray: (reason, action) => log.debug({ reason, action }, 'reply frame dropped'),
        ignored: (name) => {
          this.counters.ignored += 1;
          log.debug({ name }, 'unknown action ignored');
        },
      },
    });
    this.#sessions.set(connectionId, session);
    socket.start();
    session.start();
  }

  /** Ends every live link of the device: it was removed, revoked, or its key changed. `why`: what its agent is told. */
  revoke(device: string, why: string): void {
    this.#revoke(this.#options.live.of(device), why);
  }

  #revoke(links: readonly LiveLink[], why: string): void {
    this.#refusePulls(links);
    for (const { connection } of links) {
      this.#sessions.get(connection.connectionId)?.end('revoked', why);
    }
  }

  /** Tells every agent that the relay goes away, and closes. */
  endAll(): void {
    this.#refusePulls(this.#options.live.all());
    for (const session of this.#sessions.values()) session.end('shutdown', 'the relay shuts down');
  }

  /** No new pull comes: a link without one ends now, the others when theirs have ended; their agents find the next link. */
  retireAll(withinMs: number): void {
    const links = this.#options.live.all();
    this.#refusePulls(links);
    for (const link of links) {
      if (link.inFlight === 0) {
        this.#retire(link);
        continue;
      }
      // Not at once: the last frame of the pull is in hand just then.
      link.whenIdle = () => void setImmediate(() => this.#retire(link));
      link.connection.control({ action: 'drain', withinMs });
    }
  }

  #retire({ connection }: LiveLink): void {
    this.#sessions.get(connection.connectionId)?.end('shutdown', 'the relay shuts down');
  }

  /** Links that end together: the pulls of one must not be tried on the next. */
  #refusePulls(links: readonly LiveLink[]): void {
    for (const link of links) link.draining = true;
  }

  /** The operator wants another key: each of the device's links is told once for each time that it was asked. */
  #askRotation(device: string, askedAt: number): void {
    for (const link of this.#options.live.of(device)) {
      if (link.rotationAskedAt === askedAt || !link.has('rotate')) continue;
      link.rotationAskedAt = askedAt;
      link.connection.control({ action: 'rotate' });
    }
  }

  async #offer({ identity }: OpenedSocket, key: OfferedKey): Promise<Rotated> {
    const { device, instance, publicKey, signedBy } = identity;
    const { live, rotation } = this.#options;
    const hasOthers = live.of(device).some((link) => link.instance !== instance);
    const linkKey = signedBy === 'issuer' ? undefined : publicKey;
    const rotated = await rotation.offer({ device, publicKey: linkKey, hasOthers }, key);
    if (rotated.refused === undefined) live.offered(device, key.publicKey);
    return rotated;
  }

  #opened(
    opened: OpenedSocket,
    socket: AgentSocket,
    { hello, budget }: { readonly hello: Hello; readonly budget: MessageBudget },
    log: Logger,
  ): LiveLink {
    const { live, journal } = this.#options;
    const link = new LiveLink({
      identity: opened.identity,
      connection: socket,
      subprotocol: opened.subprotocol,
      connectedAt: this.#connectedAt(),
      hello,
      keys: new LinkKeys(opened.identity.publicKey, opened.record),
      budget,
    });
    const replaced = live.add(link, opened.record);
    this.counters.opened += 1;
    this.#options.linked(link.device);
    if (live.of(link.device).length === 1) this.#came(link, opened.record);
    journal.opened(link.record());
    const { agent, sources } = hello;
    const { subprotocol, remoteAddress } = opened;
    log.info({ agent, subprotocol, remoteAddress, sources: sources.length }, 'link open');
    for (const older of replaced) this.#replace(older, link);
    // The device may have been removed while its agent was let in.
    if (opened.registryVersion !== this.#options.registryVersion())
      void this.checks.check(link.device);
    const { rotationAskedAt } = opened.record;
    if (rotationAskedAt !== undefined) this.#askRotation(link.device, rotationAskedAt);
    return link;
  }

  /** Grows from link to link even where the clock is set back: the registry's fence rests on it. */
  #connectedAt(): number {
    this.#lastConnectedAt = Math.max(this.#lastConnectedAt + 1, this.#options.clock.wall());
    return this.#lastConnectedAt;
  }

  /** One that said drain before, or has this link for its successor, finishes its pulls first (PROTOCOL.md, exchange 9). */
  #replace(older: LiveLink, newer: LiveLink): void {
    if (older.draining) return;
    if (older.run !== undefined && older.run === newer.run) {
      older.draining = true;
      return;
    }
    this.#sessions
      .get(older.connection.connectionId)
      ?.end('replaced', 'a newer link of this instance is open');
  }

  #came({ device, instance, connectedAt }: LiveLink, { labels }: DeviceRecord): void {
    const presence = 'connected';
    const since = Math.min(connectedAt, this.#options.clock.wall());
    this.#options.presence.changed({ device, labels, presence, instance, since });
  }

  #went({ device, instance }: LiveLink, labels: DeviceRecord['labels'], why: string): void {
    const { presence, clock } = this.#options;
    presence.changed({ device, labels, presence: 'offline', instance, since: clock.wall(), why });
  }

  #closed(connectionId: string, link: LiveLink | undefined, why: string, log: Logger): void {
    this.#sessions.delete(connectionId);
    if (link === undefined) {
      log.info({ why }, 'link closed before hello');
      return;
    }
    const { live, journal, clock } = this.#options;
    this.counters.closed += 1;
    const labels = live.find(link.device)?.labels ?? {};
    live.remove(link);
    if (live.of(link.device).length === 0) this.#went(link, labels, why);
    const pulls = link.inFlight;
    // First: a pull that tries another link asks at once why this one is gone.
    journal.closed(link.record(), { at: clock.wall(), why });
    link.lost(why);
    log.info({ why, pulls }, 'link closed');
  }
}
