import {
  type AgentMessage,
  type CancelReason,
  type Clock,
  codecFor,
  type HeartbeatTerms,
  type Held,
  type Hello,
  headLimitBytes,
  type Limits,
  type OfferedKey,
  protocolVersion,
  type Reading,
  type RelayMessage,
  type ReplyMessage,
  type Stored,
  WireError,
} from '@pullwire/shared';
import type { KeyRotation } from '../auth/key-rotation.ts';
import { PostError, type Poster } from '../connection/poster.ts';
import type { PullRef } from '../queue/queued-pull.ts';
import { queuedPullOf } from '../queue/queued-reply-host.ts';
import type { LinkRecord, Registry } from '../registry/registry.ts';
import { isGreeted } from '../registry/serving-link.ts';
import type { StrayReason } from '../reply/reply-desk.ts';
import { type ReplyToKey, verifyReplyTo } from '../reply/reply-to.ts';
import { closeGatewayLink, type GatewayConnection, isOpen } from './gateway-link.ts';

/** A gateway carries text only. */
const codec = codecFor('pullwire.v1+json');

export interface GatewayTerms {
  readonly relay: string;
  readonly pulls: number;
  readonly heartbeat: HeartbeatTerms;
  readonly features: readonly string[];
  /** A link is to be replaced by then, from its `$connect` on: before the gateway ends it. */
  readonly lifeMs: number;
}

export interface FrameEvents {
  opened(link: GatewayConnection, hello: Hello): void;
  ended(link: GatewayConnection, code: string, reason: string): void;
  draining(link: GatewayConnection): void;
  /** A reply frame was dropped, and why. */
  stray(link: GatewayConnection, reason: StrayReason, action: string): void;
  /** A reply frame could not be passed on: its reply channel is gone or full. */
  undelivered(link: GatewayConnection, error: PostError): void;
  ignored(link: GatewayConnection, name: string): void;
  /** The device offered another key; `refused`: why it was not noted. */
  rotated(link: GatewayConnection, refused: string | undefined): void;
  /** What became of a batch of so many readings. */
  readings(link: GatewayConnection, count: number, answer: Stored | Held): void;
}

/** Stores a batch of a device's readings. */
export interface ReadingReceiver {
  receive(device: string, batch: Reading): Promise<Stored | Held>;
}

/** What the pulls that are queued for a device hear of its links. */
export interface GatewayQueue {
  /** A link of the device has said hello: what waits for it can go. */
  linked(device: string): Promise<void>;
  /** A frame of a reply that belongs into the store; its signature and its sender are checked. */
  received(pull: PullRef, message: ReplyMessage): Promise<void>;
}

export interface FrameReceiverOptions {
  readonly registry: Pick<Registry, 'describeLink' | 'device' | 'drainLink' | 'closeLink'>;
  readonly rotation: Pick<KeyRotation, 'offer'>;
  readonly readings: ReadingReceiver;
  readonly poster: Poster;
  readonly queue: GatewayQueue;
  readonly keys: readonly ReplyToKey[];
  readonly clock: Clock;
  readonly terms: GatewayTerms;
  readonly events: FrameEvents;
}

/**
 * What the relay does with one message of a link that a gateway holds. It remembers nothing: messages may be handled
 * beside each other, out of order and twice.
 */
export class FrameReceiver {
  readonly #options: FrameReceiverOptions;

  constructor(options: FrameReceiverOptions) {
    this.#options = options;
  }

  /** Rejects with `RegistryError`, `ObjectStoreError` or `PostError` `failed`: then the gateway tells the agent that its message failed. */
  async receive(link: GatewayConnection, text: string): Promise<void> {
    let message: ReturnType<typeof codec.decodeAgent>;
    try {
      message = codec.decodeAgent(text);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      const code = error.code === 'too-large' ? 'too-large' : 'protocol-error';
      return this.#end(link, code, error.message);
    }
    if (message.action === 'ignored') return this.#options.events.ignored(link, message.name);
    await this.#take(link, message, text);
  }

  async #take(link: GatewayConnection, message: AgentMessage, text: string): Promise<void> {
    switch (message.action) {
      case 'hello':
        return this.#hello(link, message);
      case 'head':
      case 'body':
      case 'end':
      case 'fault':
      case 'credit':
      case 'upload':
      case 'complete':
      case 'probed':
        return this.#reply(link, message, text);
      case 'reading':
        return this.#reading(link, message);
      case 'drain':
        return this.#drain(link);
      case 'bye':
        return this.#bye(link, message.code);
      case 'rotate':
        return this.#rotate(link, message);
      case 'keep-alive':
        // The gateway answers these itself; one that comes here anyway gets the same answer.
        return this.#post(link.connectionId, {
          action: 'kept-alive',
          connectionId: link.connectionId,
        });
    }
  }

  async #hello(link: GatewayConnection, hello: Hello): Promise<void> {
    const { device, instance } = link.identity;
    if (hello.version !== protocolVersion) {
      const versions = `the agent speaks version ${hello.version}, this relay ${protocolVersion}`;
      return this.#end(link, 'unsupported-version', versions);
    }
    if (hello.device !== device || hello.instance !== instance) {
      const differs = 'the device or instance in hello is not that of the token';
      return this.#end(link, 'device-mismatch', differs);
    }
    const { registry, events, queue } = this.#options;
    const { agent, sources, labels, features, run } = hello;
    const description = { agent, sources, labels, features, ...(run !== undefined && { run }) };
    const { connectionId } = link;
    const record = await registry.describeLink(device, instance, connectionId, description);
    if (record === undefined) {
      return this.#end(link, 'replaced', 'a newer link of this instance is open');
    }
    await this.#post(link.connectionId, this.#welcome(link));
    // Of a wish that came later the operator's command tells the link.
    if (link.rotationAsked === true && features.includes('rotate')) {
      await this.#post(link.connectionId, { action: 'rotate' });
    }
    events.opened(link, hello);
    if (record.connectionId === connectionId) await this.#replaceOlder(record);
    await queue.linked(device);
  }

  #welcome({ connectedAt }: GatewayConnection): RelayMessage {
    const { terms, clock } = this.#options;
    const limits: Limits = { ...codec.limits, headBytes: headLimitBytes, pulls: terms.pulls };
    const ends = connectedAt + terms.lifeMs;
    return {
      action: 'welcome',
      version: protocolVersion,
      relay: terms.relay,
      limits,
      heartbeat: terms.heartbeat,
      endOfLifeMs: Math.max(1, Math.round(ends - clock.wall())),
      features: terms.features,
    };
  }

  /**
   * By the record as it was written with the hello: a still newer link may be in its place by now. One of the same run
   * has this link for its successor, and its agent ends it when its pulls have ended.
   */
  async #replaceOlder({ replaces, replacesRun, run }: LinkRecord): Promise<void> {
    if (replaces === undefined || (run !== undefined && replacesRun === run)) return;
    await this.#sayBye(replaces, 'replaced', 'a newer link of this instance is open');
  }

  /** Checks a reply frame and passes it on as it came (PROTOCOL.md, "Order", rule 7). */
  async #reply(link: GatewayConnection, message: ReplyMessage, text: string): Promise<void> {
    const { keys, clock, events, poster, queue } = this.#options;
    const address = verifyReplyTo(keys, message.replyTo, Math.floor(clock.wall() / 1_000));
    if (typeof address === 'string') return events.stray(link, address, message.action);
    if (address.device !== link.identity.device) {
      return events.stray(link, 'foreign-device', message.action);
    }
    if (address.pullId !== message.pullId) {
      return events.stray(link, 'foreign-pull', message.action);
    }
    const id = queuedPullOf(address.host);
    if (id !== undefined) return queue.received({ device: address.device, id }, message);
    try {
      await poster.post(address.host, text);
    } catch (error) {
      if (!(error instanceof PostError)) throw error;
      events.undelivered(link, error);
      // Whoever waited is not there any more, or takes no more: the source should not go on for nobody.
      await this.#cancel(link, message.pullId, 'relay');
    }
  }

  async #cancel(link: GatewayConnection, pullId: string, reason: CancelReason): Promise<void> {
    try {
      await this.#post(link.connectionId, { action: 'cancel', pullId, reason });
    } catch (error) {
      if (!(error instanceof PostError)) throw error; // the agent's own limits end the pull then
    }
  }

  async #rotate(link: GatewayConnection, offered: OfferedKey): Promise<void> {
    const { rotation, events } = this.#options;
    const { device } = link.identity;
    const hasOthers = await this.#hasOtherInstances(link);
    const from = { device, publicKey: link.publicKey, hasOthers };
    const rotated = await rotation.offer(from, offered);
    await this.#post(link.connectionId, rotated);
    events.rotated(link, rotated.refused);
  }

  /** Nothing here remembers the link's `hello`, nor that its device was revoked: the registry does, in one read. */
  async #reading(link: GatewayConnection, batch: Reading): Promise<void> {
    const { registry, readings, events } = this.#options;
    const { device, instance } = link.identity;
    const known = await registry.device(device);
    if (known === undefined || known.record.revokedAt !== undefined) {
      return this.#end(link, 'revoked', 'this device may not link any more');
    }
    const record = known.links.find((other) => other.instance === instance);
    if (record?.connectionId === link.connectionId && !isGreeted(record)) {
      return this.#end(link, 'protocol-error', 'reading came before hello');
    }
    const answer = await readings.receive(device, batch);
    events.readings(link, batch.readings.length, answer);
    // An agent that does not know the word sends the batch again in its own time.
    if (answer.action === 'held' && record?.features.includes('hold') !== true) return;
    await this.#post(link.connectionId, answer);
  }

  /** Other instances of the device have the same key, and would lose it. */
  async #hasOtherInstances({ identity }: GatewayConnection): Promise<boolean> {
    const { registry, clock } = this.#options;
    const device = await registry.device(identity.device);
    const now = clock.wall();
    return (
      device?.links.some((link) => link.instance !== identity.instance && isOpen(link, now)) ===
      true
    );
  }

  async #drain(link: GatewayConnection): Promise<void> {
    const { registry, clock, events } = this.#options;
    const { device, instance } = link.identity;
    await registry.drainLink(device, instance, link.connectionId, clock.wall());
    events.draining(link);
  }

  async #bye(link: GatewayConnection, code: string): Promise<void> {
    await this.#close(link, code);
    await this.#options.poster.disconnect(link.connectionId);
    this.#options.events.ended(link, code, 'the agent said bye');
  }

  /** The backend cannot choose a close code: the `bye` says why, then the connection is ended. */
  async #end(link: GatewayConnection, code: string, reason: string): Promise<void> {
    await this.#close(link, code);
    await this.#sayBye(link.connectionId, code, reason);
    this.#options.events.ended(link, code, reason);
  }

  async #close(link: GatewayConnection, why: string): Promise<void> {
    const { registry, clock } = this.#options;
    await closeGatewayLink(registry, link, { at: clock.wall(), why });
  }

  async #sayBye(connectionId: string, code: string, reason: string): Promise<void> {
    await this.#post(connectionId, { action: 'bye', code, reason: reason.slice(0, 256) });
    await this.#options.poster.disconnect(connectionId);
  }

  /** A connection that is gone needs no answer; its `$disconnect` or the next pull writes its last word. */
  async #post(connectionId: string, message: RelayMessage): Promise<void> {
    try {
      await this.#options.poster.post(connectionId, codec.encode(message) as string);
    } catch (error) {
      if (error instanceof PostError && error.code === 'gone') return;
      throw error;
    }
  }
}
