import type { EnrolRefusal } from '../enroll/enrolment.ts';
import type { PullLog } from '../pull/pull-log.ts';
import type { QueueCounters } from '../queue/queue-events.ts';
import type { ReplyDesk } from '../reply/reply-desk.ts';
import type { LinkHost } from './link-host.ts';
import type { ReadingDesk } from './reading-desk.ts';
import type { RefusalCounters } from './refusal-counters.ts';

/** What a relay counts; everything in flight is 0 when nothing is going on. */
export interface RelayCounts {
  readonly links: number;
  readonly pullsInFlight: number;
  /** For their devices to come back. */
  readonly pullsWaiting: number;
  readonly registryWritesWaiting: number;
  /** Batches; `waiting` those that are not stored yet. */
  readonly readings: ReadingDesk['counters'] & { readonly waiting: number };
  readonly pulls: PullLog['counters'];
  readonly queuedPulls: QueueCounters;
  readonly eventStreams: number;
  readonly linkEvents: LinkHost['counters'];
  readonly strays: ReplyDesk['strays'];
  /** By reasons of closed sets, as are the further ones. */
  readonly refusedHandshakes: RefusalCounters['counts'];
  readonly refusedCallers: RefusalCounters['counts'];
  readonly enrolled: number;
  readonly refusedEnrolments: Readonly<Partial<Record<EnrolRefusal, number>>>;
}
