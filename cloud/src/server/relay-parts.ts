import type { Clock } from '@pullwire/shared';
import type { Logger } from 'pino';
import type { Callers } from '../auth/callers.ts';
import type { Throttle } from '../auth/throttle.ts';
import type { ReplyStore } from '../pull/object-reply.ts';
import type { UploadStore } from '../pull/request-uploads.ts';
import type { QueueBodies } from '../queue/kept-body.ts';
import type { QueueStore } from '../queue/queue-store.ts';
import type { ReadingPlace } from '../reading/reading-place.ts';
import type { Registry } from '../registry/registry.ts';
import type { ObjectDoor } from './http-host.ts';
import type { AdmittedLink } from './link-door.ts';
import type { RelaySettings } from './relay-settings.ts';

/** What a one-box relay is put together from. */
export interface RelayParts {
  readonly settings: RelaySettings;
  /** Its schema is checked already. */
  readonly registry: Registry;
  /** Where queued pulls are kept: the registry's own table. */
  readonly queue: QueueStore;
  /** What of them is too large for the table. */
  readonly queueBodies: QueueBodies;
  /** Whether `registryChanged` is called for every write of others; a table on AWS tells nobody. */
  readonly hearsOfWrites: boolean;
  /** For people: why the registry cannot be read or written now; undefined: it can. */
  registryTrouble?(): string | undefined;
  readonly callers: Callers;
  /** Slows down whoever tries credentials at any of the doors. */
  readonly throttle: Throttle;
  /** Where agents dial, as it is known outside; undefined: as the relay listens. */
  readonly linkUrl: string | undefined;
  /** Rejects with `PullFault` where the token is not valid here. `port` is the one that is listened on. */
  admit(token: string | undefined, port: number): Promise<AdmittedLink>;
  /** Where large bodies go, as on AWS. Without it they stream, as on one box they can. */
  readonly objects?: RelayObjects;
  /** Where readings are kept, for how long, and how much a day of one device (bytes). */
  readonly readings: ReadingPlace & {
    readonly retentionDays: number;
    readonly bytesPerDay: number;
  };
  readonly clock: Clock;
  readonly log: Logger;
  readonly version: string;
}

/** An object storage whose signed URLs lie below `/objects/` of this relay. */
export interface RelayObjects extends ObjectDoor {
  readonly store: ReplyStore & UploadStore;
  /** Takes care of work that goes on beside a pull, and after it. */
  track(work: Promise<unknown>): void;
}
