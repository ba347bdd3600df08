import { isDeepStrictEqual } from 'node:util';
import type { Feature, Hello, SourceInfo } from '@pullwire/shared';
import type { Connection } from '../connection/connection.ts';
import type { LinkedPull, PullTarget } from '../pull/pull-target.ts';
import type { LinkRecord } from '../registry/registry.ts';
import type { LinkIdentity } from '../session/link-session.ts';
import type { MessageBudget } from '../session/message-budget.ts';
import type { LinkKeys } from './link-keys.ts';

/** What of a socket a link needs besides its frames. */
export interface LiveConnection extends Connection, ProofOfLife {
  /** Bytes that wait for the agent to take them. */
  readonly queuedBytes: number;
  /** Tells when the pong has come. Throws `PullFault` `link-lost`. */
  ping(id: string, ponged: () => void): void;
}

/** When the link last proved to be alive, and when the next proof is due (epoch milliseconds). */
export interface ProofOfLife {
  readonly lastProofAt: number;
  readonly proofDueAt: number;
}

export interface LiveLinkInit {
  readonly identity: LinkIdentity;
  readonly connection: LiveConnection;
  readonly subprotocol: LinkRecord['subprotocol'];
  /** Epoch milliseconds. */
  readonly connectedAt: number;
  readonly hello: Hello;
  readonly keys: LinkKeys;
  readonly budget: MessageBudget;
}

/** A link that this process holds, with the pulls that are on it. */
export class LiveLink implements PullTarget {
  readonly device: string;
  readonly instance: string;
  readonly connection: LiveConnection;
  readonly connectedAt: number;
  readonly keys: LinkKeys;
  /** Since when the device is there, where that was before this link: set when it is added to the others. */
  upSince: number | undefined;
  draining = false;
  /** Called when the last pull on it has ended. */
  whenIdle: (() => void) | undefined;
  /** The wish for another key that its agent was told of. */
  rotationAskedAt: number | undefined;
  #hello: Hello;
  #sources: ReadonlyMap<string, SourceInfo>;
  readonly #pulls = new Map<string, LinkedPull>();
  readonly #subprotocol: LinkRecord['subprotocol'];
  readonly #budget: MessageBudget;

  constructor(init: LiveLinkInit) {
    const { identity, connection, hello } = init;
    this.device = identity.device;
    this.instance = identity.instance;
    this.connection = connection;
    this.connectedAt = init.connectedAt;
    this.keys = init.keys;
    this.#subprotocol = init.subprotocol;
    this.#hello = hello;
    this.#sources = byName(hello);
    this.#budget = init.budget;
  }

  /** The run of links that it is in, where its agent says which. */
  get run(): string | undefined {
    return this.#hello.run;
  }

  get inFlight(): number {
    return this.#pulls.size;
  }

  /** False where nothing of what the link's record says has changed. */
  describe(hello: Hello): boolean {
    const before = this.record();
    this.#hello = hello;
    this.#sources = byName(hello);
    return !isDeepStrictEqual(before, this.record());
  }

  /** Whether its agent announced this feature. */
  has(feature: Feature): boolean {
    return this.#hello.features.includes(feature);
  }

  hasSource(name: string): boolean {
    return this.#sources.has(name);
  }

  begin(pull: LinkedPull): void {
    this.#budget.pullBegan();
    this.#pulls.set(pull.pullId, pull);
  }

  finish(pullId: string): void {
    this.#pulls.delete(pullId);
    if (this.#pulls.size === 0) this.whenIdle?.();
  }

  room(pullId: string): void {
    this.#pulls.get(pullId)?.room();
  }

  lost(why: string): void {
    for (const pull of [...this.#pulls.values()]) pull.linkLost(why);
    this.#pulls.clear();
  }

  record(): LinkRecord {
    const { agent, sources, labels, features, run } = this.#hello;
    return {
      device: this.device,
      instance: this.instance,
      connectionId: this.connection.connectionId,
      connectedAt: this.connectedAt,
      subprotocol: this.#subprotocol,
      agent,
      sources,
      labels,
      features,
      ...(run !== undefined && { run }),
      ...(this.upSince === undefined ? undefined : { upSince: this.upSince }),
    };
  }
}

function byName(hello: Hello): ReadonlyMap<string, SourceInfo> {
  return new Map(hello.sources.map((source) => [source.name, source]));
}
