import type { Clock } from '@pullwire/shared';
import type { Poster } from '../connection/poster.ts';
import { offlineInfo } from '../presence/offline-device.ts';
import { orUnavailable } from '../presence/or-unavailable.ts';
import type { LinkedPull, PullableDevice } from '../pull/pull-target.ts';
import type { Device, LinkRecord, Registry } from '../registry/registry.ts';
import { isGreeted, servingConnection } from '../registry/serving-link.ts';
import { isOpen } from '../session/gateway-link.ts';
import type { PendingWork } from './pending-work.ts';
import { RemoteTarget } from './remote-target.ts';

export interface RemotePullablesOptions {
  readonly registry: Pick<Registry, 'closeLink'>;
  readonly poster: Poster;
  readonly work: PendingWork;
  readonly clock: Clock;
  /** A pull is about to be posted. */
  sending?(pull: LinkedPull): void;
  /** The hello of one of its links is a moment away. */
  unsaid?(device: string): void;
  /** A post said that this connection of the link is gone, and the registry is about to know. */
  gone?(link: LinkRecord, connectionId: string): void;
  /** The registry knows. */
  closed?(): void;
}

/** Makes of a device's record what pulls need: its open links at a gateway, as targets of posts. */
export class RemotePullables {
  readonly #options: RemotePullablesOptions;

  constructor(options: RemotePullablesOptions) {
    this.#options = options;
  }

  isOpen(link: LinkRecord): boolean {
    return isOpen(link, this.#options.clock.wall());
  }

  pullable(device: Device): PullableDevice {
    const { record, links } = device;
    const revoked = record.revokedAt !== undefined;
    const open = revoked ? [] : links.filter((link) => this.isOpen(link));
    return {
      device: record.device,
      labels: record.labels,
      targets: open.flatMap((link) => this.#targets(link)),
      offline: offlineInfo(device, { now: this.#options.clock.wall(), lostSince: 0 }),
    };
  }

  /** Before the hello of a link, or where it ended without one, the one that it replaces takes the pulls. */
  #targets(link: LinkRecord): RemoteTarget[] {
    if (isGreeted(link)) return [this.#target(link)];
    this.#options.unsaid?.(link.device);
    const serving = servingConnection(link);
    return serving === undefined ? [] : [this.#target(servedBy(link, serving))];
  }

  #target(link: LinkRecord): RemoteTarget {
    const { poster, work, sending } = this.#options;
    return new RemoteTarget({
      link,
      poster,
      work,
      sending: (pull) => sending?.(pull),
      gone: (connectionId) => this.#gone(link, connectionId),
    });
  }

  /** A post said that a link is gone: that is proof, and the registry is told. Another link may be open by now. */
  async #gone(link: LinkRecord, connectionId: string): Promise<void> {
    const { registry, clock, gone, closed } = this.#options;
    const { device, instance } = link;
    gone?.(link, connectionId);
    const end = { at: clock.wall(), why: 'gone' };
    await orUnavailable(registry.closeLink(device, instance, connectionId, end));
    closed?.();
  }
}

/** The record of a newer link that has not said hello, as that of the one which takes the pulls until then. */
function servedBy({ drainingAt: _, ...link }: LinkRecord, connectionId: string): LinkRecord {
  return { ...link, connectionId };
}
