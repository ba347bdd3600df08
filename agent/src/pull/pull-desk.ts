import {
  type Cancel,
  type Clock,
  type Pull,
  PullFault,
  type Put,
  partLimit,
  type RelayCredit,
  type RequestBody,
  type RequestEnd,
  type Resend,
} from '@pullwire/shared';
import { framesGone, type KeptReply } from '../reply/kept-reply.ts';
import type { PartStore } from '../reply/part-store.ts';
import { ReplyMemory } from '../reply/reply-memory.ts';
import { UploadPlaces } from '../reply/upload-places.ts';
import { AgentPull, type AgentPullWays, type PullAudit } from './agent-pull.ts';
import type { PolicedSource } from './policed-source.ts';
import type { PullLink, PullMessage, PullReceiver } from './pull-link.ts';
import { PullMemory } from './pull-memory.ts';

export interface PullDeskOptions {
  readonly sources: ReadonlyMap<string, PolicedSource>;
  /** Pulls in flight over all sources. */
  readonly maxPulls: number;
  readonly clock: Clock;
  /** Where parts of large replies go, where the relay wants them by object storage. */
  readonly parts: PartStore;
  /** Of one part at most; 8 MiB unless told. */
  readonly partBytes?: number;
  /** One line a pull, whatever became of it. */
  audit(line: PullAudit): void;
}

export interface PullCounters {
  pulls: number;
  repeated: number;
  stray: number;
}

/** Replies by object storage at once, each with two parts in memory at most: 64 MiB. */
const uploadPlaces = 4;

/** Takes the relay's messages about pulls, and runs each pull once, after policy, until it ends. */
export class PullDesk implements PullReceiver {
  readonly #options: PullDeskOptions;
  #sources: ReadonlyMap<string, PolicedSource>;
  readonly #running = new Map<string, AgentPull>();
  readonly #memory: PullMemory;
  readonly #replies: ReplyMemory;
  /** Of pulls whose replies are sent once. */
  readonly #plainWays: AgentPullWays;
  #drained: (() => void) | undefined;
  #draining = false;
  readonly counters: PullCounters = { pulls: 0, repeated: 0, stray: 0 };

  constructor(options: PullDeskOptions) {
    this.#options = options;
    this.#sources = options.sources;
    const { clock, parts, partBytes = partLimit.bytes } = options;
    this.#memory = new PullMemory(() => clock.monotonic());
    this.#replies = new ReplyMemory(clock);
    const places = new UploadPlaces(uploadPlaces);
    this.#plainWays = { kept: undefined, objects: { store: parts, places, clock, partBytes } };
  }

  get inFlight(): number {
    return this.#running.size;
  }

  inFlightOn(link: PullLink): number {
    let count = 0;
    for (const pull of this.#running.values()) if (pull.link === link) count += 1;
    return count;
  }

  /** New pulls use these from now on; those under way end with what they began with. */
  replaceSources(sources: ReadonlyMap<string, PolicedSource>): void {
    this.#sources = sources;
  }

  receive(message: PullMessage, link: PullLink): void {
    switch (message.action) {
      case 'pull':
        return this.#begin(message, link);
      case 'cancel':
        return this.#cancel(message, link);
      case 'body':
      case 'end':
      case 'credit':
      case 'put':
        return this.#pass(message);
      case 'resend':
        return this.#resend(message, link);
    }
  }

  room(pullId: string): void {
    this.#running.get(pullId)?.room();
  }

  lost(link: PullLink): void {
    for (const pull of this.#running.values()) if (pull.link === link) pull.stop('link-lost');
    this.#replies.lost(link);
  }

  drain(): Promise<void> {
    this.#draining = true;
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#drained = resolve;
    });
  }

  #begin(pull: Pull, link: PullLink): void {
    if (this.#running.has(pull.pullId) || this.#hasEnded(pull.pullId, link)) {
      this.counters.repeated += 1;
      return;
    }
    this.counters.pulls += 1;
    const run = new AgentPull(pull, link, this.#options.clock, this.#waysOf(pull, link), {
      audit: this.#options.audit,
      ended: this.#ended,
    });
    this.#running.set(pull.pullId, run);
    run.start(this.#find(pull));
  }

  #waysOf(pull: Pull, link: PullLink): AgentPullWays {
    if (!link.features.resend) return this.#plainWays;
    const kept = this.#replies.open(link, pull);
    const replyTo = this.#memory.movedTo(pull.pullId);
    if (replyTo !== undefined) kept.resend(replyTo, 0);
    return { kept, objects: this.#plainWays.objects };
  }

  #resend(message: Resend, link: PullLink): void {
    const { pullId, replyTo } = message;
    const run = this.#running.get(pullId);
    const kept = this.#replies.find(pullId);
    if (run !== undefined) run.resend(message);
    else if (kept !== undefined) resendEnded(kept, message);
    else if (this.#hasEnded(pullId, link)) this.counters.stray += 1;
    else this.#memory.move(pullId, replyTo);
  }

  /** The source, or why there is none for this pull. */
  #find(pull: Pull): PolicedSource | PullFault {
    if (this.#draining) {
      return new PullFault('agent-draining', 'agent-accept', {
        detail: 'the agent is shutting down and takes no new pulls',
        retryAfterMs: 5_000,
      });
    }
    if (this.#running.size > this.#options.maxPulls) {
      return new PullFault('busy', 'agent-accept', {
        detail: `the device already has ${this.#options.maxPulls} pulls in flight (maxPulls)`,
        retryAfterMs: 1_000,
      });
    }
    const found = this.#sources.get(pull.source);
    if (found !== undefined) return found;
    return new PullFault('source-unknown', 'agent-accept', {
      detail: `the device has no source "${pull.source}"`,
    });
  }

  #pass(message: RequestBody | RequestEnd | RelayCredit | Put): void {
    const run = this.#running.get(message.pullId);
    if (run === undefined) this.counters.stray += 1;
    else if (message.action === 'credit') run.raise(message.limit);
    else if (message.action === 'put') run.put(message);
    else run.requestBody(message);
  }

  #cancel({ pullId, reason }: Cancel, link: PullLink): void {
    const run = this.#running.get(pullId);
    if (run !== undefined) return run.cancel(reason);
    if (reason !== 'relay') this.#replies.forget(pullId);
    if (link.subprotocol === 'pullwire.v1+json') this.#memory.end(pullId);
  }

  /** A binary link is one WebSocket from end to end, where nothing is repeated or overtaken below us. */
  #hasEnded(pullId: string, link: PullLink): boolean {
    return link.subprotocol === 'pullwire.v1+json' && this.#memory.hasEnded(pullId);
  }

  readonly #ended = (pullId: string, link: PullLink, wanted: boolean): void => {
    this.#running.delete(pullId);
    if (link.features.resend) {
      if (wanted) this.#replies.ended(pullId);
      else this.#replies.forget(pullId);
    }
    if (link.subprotocol === 'pullwire.v1+json') this.#memory.end(pullId);
    if (this.#running.size === 0) this.#drained?.();
  };
}

function resendEnded(kept: KeptReply, { pullId, replyTo, have }: Resend): void {
  if (!kept.resend(replyTo, have)) kept.control(framesGone(pullId, replyTo));
}
