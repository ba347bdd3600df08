import { type Probe, PullFault } from '@pullwire/shared';
import type { ProbeDoor, ProbeEars, Unproven } from '../presence/link-probes.ts';
import type { LinkRecord } from '../registry/registry.ts';
import type { LiveLinks } from './live-links.ts';

/** Asks the links that this process holds: by a message, or by a ping where the agent knows no such message. */
export class LiveProbes implements ProbeDoor {
  readonly #live: LiveLinks;

  constructor(live: LiveLinks) {
    this.#live = live;
  }

  async ready(): Promise<void> {}

  async ask(link: LinkRecord, probe: Probe, said: ProbeEars): Promise<'asked' | Unproven> {
    const live = this.#live.linkOf(link);
    if (live === undefined) return 'gone';
    const { pullId } = probe;
    live.begin({
      pullId,
      linkLost: () => said.failed('gone'),
      sendFailed: () => said.failed('not-asked'),
      room: () => undefined,
    });
    try {
      if (live.has('probe')) live.connection.control(probe);
      else live.connection.ping(pullId, () => said.heard());
      return 'asked';
    } catch (error) {
      if (error instanceof PullFault) return error.code === 'link-lost' ? 'gone' : 'not-asked';
      throw error;
    }
  }

  forget(link: LinkRecord, pullId: string): void {
    const live = this.#live.linkOf(link);
    live?.finish(pullId);
    live?.connection.forget(pullId);
  }
}
