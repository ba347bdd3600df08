import type { PullFault } from '@pullwire/shared';
import type { Connection } from '../connection/connection.ts';

/** A pull as its link sees it. */
export interface LinkedPull {
  readonly pullId: string;
  /** The link ended; nothing more comes. */
  linkLost(why: string): void;
  /** A frame of this pull could not be sent after all, where sending takes time. */
  sendFailed(fault: PullFault): void;
  /** The connection's queue has room again for this pull. */
  room(): void;
}

/** A live link that pulls can be sent down. */
export interface PullTarget {
  readonly device: string;
  readonly instance: string;
  readonly connection: Connection;
  readonly draining: boolean;
  readonly inFlight: number;
  hasSource(name: string): boolean;
  begin(pull: LinkedPull): void;
  finish(pullId: string): void;
}

/** Why a device has no link: its last one's last word. */
export interface OfflineInfo {
  /** Epoch milliseconds; undefined where the device was never seen. */
  readonly since: number | undefined;
  readonly why: string;
}

/** A known device, as a pull sees it. */
export interface PullableDevice {
  readonly device: string;
  /** As the operator set them: grants may rest on these. */
  readonly labels: Readonly<Record<string, string>>;
  readonly targets: readonly PullTarget[];
  /** Asked only where there are no targets. */
  readonly offline: OfflineInfo;
}

/** Finds a device: at once where it has a live link here, else from the registry. */
export interface PullableDevices {
  /** Rejects with `PullFault` `registry-unavailable`. */
  find(device: string): PullableDevice | undefined | Promise<PullableDevice | undefined>;
  /** The same, where a pull has met a link that is gone or going: what was read before no longer counts. */
  findAnew(device: string): PullableDevice | undefined | Promise<PullableDevice | undefined>;
}

/** How long a caller would wait. */
export interface Patience {
  /** Milliseconds until its pull's deadline. */
  readonly leftMs: number;
  /** It said itself how long (`Prefer: wait=N`). */
  readonly isAsked: boolean;
}

/** Devices that may be on their way back, where the host can tell. */
export interface ReturningPullables {
  /**
   * Waits for a device without a link to come back, and finds it again; undefined where it is not expected. Rejects as
   * `find`.
   */
  returning(
    device: PullableDevice,
    patience: Patience,
  ): Promise<PullableDevice | undefined> | undefined;
}

/**
 * The least loaded link that offers the source, other than the one with connection id `not`; one of them by chance where
 * several are. `random`: from 0, below 1; not asked where there is one link.
 */
export function chooseTarget(
  targets: readonly PullTarget[],
  source: string,
  random: () => number,
  not?: string,
): PullTarget | undefined {
  let best: PullTarget | undefined;
  let equals = 0;
  for (const target of targets) {
    if (target.draining || !target.hasSource(source)) continue;
    if (not !== undefined && target.connection.connectionId === not) continue;
    if (best === undefined || target.inFlight < best.inFlight) {
      best = target;
      equals = 1;
    } else if (target.inFlight === best.inFlight) {
      equals += 1;
      if (random() * equals < 1) best = target;
    }
  }
  return best;
}
