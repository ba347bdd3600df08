import type { Clock } from '@pullwire/shared';
import { EventLog } from './event-log.ts';
import { FlapDamper } from './flap-damper.ts';
import type { PresenceChange } from './presence-event.ts';

/** From what becomes of devices to what is told of them: damped, numbered, and kept for a while. */
export class PresenceFeed {
  readonly log: EventLog;
  readonly #damper: FlapDamper;

  /** `epoch`: another one at each start. */
  constructor(clock: Clock, epoch: string) {
    this.log = new EventLog(epoch);
    this.#damper = new FlapDamper({ clock, said: (event) => this.log.append(event) });
  }

  changed(change: PresenceChange): void {
    this.#damper.changed(change);
  }

  /** How often the device went offline in the last hour. */
  flapsOf(device: string): number {
    return this.#damper.flapsOf(device);
  }

  stop(): void {
    this.#damper.stop();
  }
}
