import {
  type Cancel,
  type Clock,
  type Pull,
  PullFault,
  type RelayCredit,
  type RequestBody,
  type RequestEnd,
} from '@pullwire/shared';
import { AgentPull, type PullAudit } from './agent-pull.ts';
import type { PolicedSource } from './policed-source.ts';
import type { PullLink, PullMessage, PullReceiver } from './pull-link.ts';
import { PullMemory } from './pull-memory.ts';

export interface PullDeskOptions {
  readonly sources: ReadonlyMap<string, PolicedSource>;
  /** Pulls in flight over all sources. */
  readonly maxPulls: number;
  readonly clock: Clock;
  /** One line a pull, whatever became of it. */
  audit(line: PullAudit): void;
}

export interface PullCounters {
  pulls: number;
  repeated: number;
  stray: number;
}

/** Takes the relay's messages about pulls, and runs each pull once, after policy, until it ends. */
export class PullDesk implements PullReceiver {
  readonly #options: PullDeskOptions;
  #sources: ReadonlyMap<string, PolicedSource>;
  readonly #running = new Map<string, AgentPull>();
  readonly #memory: PullMemory;
  #drained: (() => void) | undefined;
  #draining = false;
  readonly counters: PullCounters = { pulls: 0, repeated: 0, stray: 0 };

  constructor(options: PullDeskOptions) {
    this.#options = options;
    this.#sources = options.sources;
    this.#memory = new PullMemory(() => options.clock.monotonic());
  }

  get inFlight(): number {
    return this.#running.size;
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
        return this.#pass(message);
    }
  }

  room(pullId: string): void {
    this.#running.get(pullId)?.room();
  }

  lost(link: PullLink): void {
    for (const pull of this.#running.values()) if (pull.link === link) pull.stop('link-lost');
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
    const run = new AgentPull(pull, link, this.#options.clock, {
      audit: this.#options.audit,
      ended: this.#ended,
    });
    this.#running.set(pull.pullId, run);
    run.start(this.#find(pull));
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

  #pass(message: RequestBody | RequestEnd | RelayCredit): void {
    const run = this.#running.get(message.pullId);
    if (run === undefined) this.counters.stray += 1;
    else if (message.action === 'credit') run.raise(message.limit);
    else run.requestBody(message);
  }

  #cancel({ pullId, reason }: Cancel, link: PullLink): void {
    const run = this.#running.get(pullId);
    if (run !== undefined) run.stop(reason);
    else if (link.subprotocol === 'pullwire.v1+json') this.#memory.end(pullId);
  }

  /** A binary link is one WebSocket from end to end, where nothing is repeated or overtaken below us. */
  #hasEnded(pullId: string, link: PullLink): boolean {
    return link.subprotocol === 'pullwire.v1+json' && this.#memory.hasEnded(pullId);
  }

  readonly #ended = (pullId: string, link: PullLink): void => {
    this.#running.delete(pullId);
    if (link.subprotocol === 'pullwire.v1+json') this.#memory.end(pullId);
    if (this.#running.size === 0) this.#drained?.();
  };
}
