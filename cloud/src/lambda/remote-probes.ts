import { type Clock, codecFor, type Probe } from '@pullwire/shared';
import { PostError, type Poster } from '../connection/poster.ts';
import type { ProbeDoor, Unproven } from '../presence/link-probes.ts';
import { orUnavailable } from '../presence/or-unavailable.ts';
import type { LinkRecord, Registry } from '../registry/registry.ts';
import { isGreeted } from '../registry/serving-link.ts';
import type { ReplyWay } from './remote-devices.ts';

export interface RemoteProbesOptions {
  readonly registry: Pick<Registry, 'closeLink'>;
  readonly poster: Poster;
  readonly channel: ReplyWay;
  readonly clock: Clock;
  /** A post said that the link's connection is gone; for the log. */
  gone(link: LinkRecord): void;
}

const codec = codecFor('pullwire.v1+json');

/** Asks links that a gateway holds. A post that finds its connection gone is proof, and the registry is told. */
export class RemoteProbes implements ProbeDoor {
  readonly #options: RemoteProbesOptions;

  constructor(options: RemoteProbesOptions) {
    this.#options = options;
  }

  /** What the answer comes by is proven before the question, so that silence says nothing else. */
  async ready(): Promise<void> {
    await this.#options.channel.ready();
    await this.#options.channel.prove();
  }

  async ask(link: LinkRecord, probe: Probe): Promise<'asked' | Unproven> {
    if (!isGreeted(link)) return 'not-asked';
    if (!link.features.includes('probe')) return 'unsupported';
    try {
      await this.#options.poster.post(link.connectionId, codec.encode(probe) as string);
      return 'asked';
    } catch (error) {
      if (!(error instanceof PostError)) throw error;
      if (error.code !== 'gone') return 'not-asked';
      await this.#closed(link);
      return 'gone';
    }
  }

  forget(): void {}

  async #closed(link: LinkRecord): Promise<void> {
    const { registry, clock, gone } = this.#options;
    const { device, instance, connectionId } = link;
    gone(link);
    const end = { at: clock.wall(), why: 'gone' };
    await orUnavailable(registry.closeLink(device, instance, connectionId, end));
  }
}
