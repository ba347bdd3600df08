import type { PullFault } from '@pullwire/shared';
import type { Poster } from '../connection/poster.ts';
import type { LinkedPull, PullTarget } from '../pull/pull-target.ts';
import type { LinkRecord } from '../registry/registry.ts';
import type { PendingWork } from './pending-work.ts';
import { RemoteConnection } from './remote-connection.ts';

export interface RemoteTargetOptions {
  readonly link: LinkRecord;
  readonly poster: Poster;
  readonly work: PendingWork;
  /** A pull is about to be posted: the moment to prove the way back. */
  sending(pull: LinkedPull): void;
  /** See `RemoteConnectionOptions.gone`. */
  gone(connectionId: string): Promise<void>;
}

/** An open link at a gateway, as the pulls of one environment see it. */
export class RemoteTarget implements PullTarget {
  readonly #options: RemoteTargetOptions;
  readonly #pulls = new Map<string, LinkedPull>();
  readonly connection: RemoteConnection;

  constructor(options: RemoteTargetOptions) {
    const { link, poster, work, gone } = options;
    this.#options = options;
    this.connection = new RemoteConnection({
      connectionId: link.connectionId,
      resends: link.features.includes('resend'),
      poster,
      work,
      gone,
      sendFailed: (pullId: string, fault: PullFault) => this.#pulls.get(pullId)?.sendFailed(fault),
      lost: (pullId) => this.#pulls.get(pullId)?.linkLost('gone'),
      room: (pullId) => this.#pulls.get(pullId)?.room(),
    });
  }

  get device(): string {
    return this.#options.link.device;
  }

  get instance(): string {
    return this.#options.link.instance;
  }

  get draining(): boolean {
    return this.#options.link.drainingAt !== undefined;
  }

  get inFlight(): number {
    return this.#pulls.size;
  }

  hasSource(name: string): boolean {
    return this.#options.link.sources.some((source) => source.name === name);
  }

  begin(pull: LinkedPull): void {
    this.#pulls.set(pull.pullId, pull);
    this.#options.sending(pull);
  }

  finish(pullId: string): void {
    this.#pulls.delete(pullId);
  }
}
