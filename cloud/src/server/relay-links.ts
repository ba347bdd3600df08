import { randomBytes } from 'node:crypto';
import { BufferCollector, frameLimits, headLimitBytes } from '@pullwire/shared';
import { KeyRotation } from '../auth/key-rotation.ts';
import { PresenceFeed } from '../presence/presence-feed.ts';
import type { ReplyDesk } from '../reply/reply-desk.ts';
import { OneBoxDevices } from './device-store.ts';
import { HandshakeGate } from './handshake-gate.ts';
import { LinkDoor } from './link-door.ts';
import { LinkHost } from './link-host.ts';
import { LinkJournal } from './link-journal.ts';
import { LinkPenalty } from './link-penalty.ts';
import { LiveLinks } from './live-links.ts';
import { LiveProbes } from './live-probes.ts';
import type { ReadingDesk } from './reading-desk.ts';
import { RefusalCounters } from './refusal-counters.ts';
import type { RelayParts } from './relay-parts.ts';
import { createReadingDesk } from './relay-readings.ts';
import { remoteAddressOf } from './remote-address.ts';

export interface RelayLinksInit {
  readonly parts: RelayParts;
  readonly replies: ReplyDesk;
  /** The one that is listened on. */
  port(): number;
  draining(): boolean;
  /** How late the event loop is, in milliseconds. */
  lateMs(): number;
  /** A link of the device opened. */
  linked(device: string): void;
}

/** As many are in hand as the registry reads in a moment; more would only wait, and cost the others theirs. */
const handshakesAtOnce = 64;

/** What of the one-box server is the agents': the door, their links, and the devices with and without one. */
export class RelayLinks {
  readonly #init: RelayLinksInit;
  readonly #live = new LiveLinks();
  readonly #penalty: LinkPenalty;
  #registryVersion = 0;
  readonly presence: PresenceFeed;
  readonly journal: LinkJournal;
  readonly devices: OneBoxDevices;
  readonly readings: ReadingDesk;
  readonly host: LinkHost;
  readonly door: LinkDoor;
  readonly probes = new LiveProbes(this.#live);
  readonly refused = new RefusalCounters();

  constructor(init: RelayLinksInit) {
    const { registry, clock, log } = init.parts;
    this.#init = init;
    this.#penalty = new LinkPenalty(clock);
    this.presence = new PresenceFeed(clock, randomBytes(6).toString('hex'));
    this.journal = new LinkJournal({
      registry,
      clock,
      failed: (err, waiting) => log.warn({ err, waiting }, 'the registry cannot be written'),
    });
    this.devices = new OneBoxDevices({
      registry,
      live: this.#live,
      unwrittenEnds: (device) => this.journal.unwrittenEnds(device),
      clock,
      revoke: (device, why) => this.host.revoke(device, why),
      flapsOf: (device) => this.presence.flapsOf(device),
      check: init.parts.hearsOfWrites ? undefined : (device) => this.host.checks.look(device),
    });
    this.readings = createReadingDesk(init.parts);
    this.host = this.#createHost();
    this.door = this.#createDoor();
  }

  /** Links that have said hello. */
  get size(): number {
    return this.#live.size;
  }

  /** Bytes that wait for agents to take them. */
  get queuedBytes(): number {
    return this.#live.queuedBytes;
  }

  /** An operator wrote to the registry: what was read no longer counts, and links are checked again. */
  registryChanged(devices?: readonly string[]): void {
    this.#registryVersion += 1;
    this.devices.forget();
    if (devices === undefined) void this.host.checks.recheck();
    else for (const device of new Set(devices)) void this.host.checks.check(device);
  }

  /** The device enrolled: its key may have taken the place of another, whose links end now. */
  enrolled(device: string): void {
    this.registryChanged([device]);
  }

  #createHost(): LinkHost {
    const { settings, registry, clock, log, version, objects } = this.#init.parts;
    const { heartbeat, limits, linkLifeMs } = settings;
    const pulls = limits.pullsPerLink;
    return new LinkHost({
      clock,
      live: this.#live,
      journal: this.journal,
      replies: this.#init.replies,
      registry,
      rotation: new KeyRotation({ registry }),
      readings: this.readings,
      log,
      collector: new BufferCollector(),
      heartbeat,
      terms: {
        relay: `pullwire-relay/${version}`,
        limits: { ...frameLimits['pullwire.v1+bin'], headBytes: headLimitBytes, pulls },
        heartbeat,
        ...(linkLifeMs > 0 && { lifeMs: linkLifeMs }),
        features: [
          ...['hold', 'probe', 'readings', 'rotate'],
          ...(objects === undefined ? [] : ['upload']),
        ],
      },
      newConnectionId: () => randomBytes(12).toString('base64url'),
      registryVersion: () => this.#registryVersion,
      linked: (device) => {
        this.devices.linked(device);
        this.#init.linked(device);
      },
      presence: this.presence,
      flooded: (device) => this.#penalty.given(device),
    });
  }

  #createGate(): HandshakeGate {
    const { clock, log } = this.#init.parts;
    return new HandshakeGate({
      clock,
      most: handshakesAtOnce,
      lateMs: () => this.#init.lateMs(),
      shedding: (state) =>
        log.warn(
          state,
          'more agents dial than can be let in at once: some are sent away for a moment',
        ),
    });
  }

  #createDoor(): LinkDoor {
    const { settings, admit, throttle, log } = this.#init.parts;
    return new LinkDoor({
      throttle,
      gate: this.#createGate(),
      maxLinks: settings.limits.links,
      links: () => this.host.size,
      linksOf: (device) => this.#live.of(device).length,
      registryVersion: () => this.#registryVersion,
      remoteAddress: remoteAddressOf(settings.trustedProxy),
      draining: () => this.#init.draining(),
      admit: async (token) => {
        const admitted = await admit(token, this.#init.port());
        this.#penalty.check(admitted.identity.device);
        return admitted;
      },
      opened: (opened) => this.host.open(opened),
      refused: (fault, remoteAddress) => {
        this.refused.count(fault);
        const { code, message, cause } = fault;
        // One line each would be more work than it spares.
        if (code === 'relay-overloaded') return;
        log.warn({ code, detail: message, remoteAddress, err: cause }, 'link refused');
      },
    });
  }
}
