import type { Clock, PullFault } from '@pullwire/shared';
import { safeMethods } from '../pull/pull-repeat.ts';
import { replyKey, requestKey } from './kept-body.ts';
import type { LargeBodies } from './large-bodies.ts';
import type { QueueLog } from './queue-events.ts';
import type { QueueStore } from './queue-store.ts';
import { keptFault, outcomeUnknown, pullCancelled, pullExpired } from './queued-fault.ts';
import type { EndedReply, PullEnd, PullStands, QueuedFault, QueuedPull } from './queued-pull.ts';

/** A safe pull that got no answer so often gets none. */
const mostSends = 3;

export interface QueueEndsOptions {
  readonly store: QueueStore;
  readonly large: Pick<LargeBodies, 'drop'>;
  readonly clock: Clock;
  readonly log: QueueLog;
}

/** Brings queued pulls to their ends, each by one conditional write: whoever comes second changes nothing. */
export class QueueEnds {
  readonly #options: QueueEndsOptions;

  constructor(options: QueueEndsOptions) {
    this.#options = options;
  }

  /** A pull whose time ran out before it was sent; false where it was sent meanwhile. */
  expire(pull: QueuedPull): Promise<boolean> {
    return this.#end(pull, 'queued', 'expired', { fault: keptFault(pullExpired(pull), 'relay') });
  }

  /** It may not be sent any more: its key was revoked, its grant taken, its device removed. */
  refuse(pull: QueuedPull, fault: PullFault): Promise<boolean> {
    return this.#end(pull, 'queued', 'refused', { fault: keptFault(fault, 'relay') });
  }

  cancel(pull: QueuedPull): Promise<boolean> {
    const fault = keptFault(pullCancelled(pull), 'relay');
    return this.#end(pull, standsOf(pull), 'cancelled', { fault });
  }

  fail(
    pull: QueuedPull,
    fault: PullFault,
    answeredBy: QueuedFault['answeredBy'],
  ): Promise<boolean> {
    return this.#end(pull, standsOf(pull), 'failed', { fault: keptFault(fault, answeredBy) });
  }

  /** What of the reply lies beside the table stays there, where this is its end. */
  async done(pull: QueuedPull, reply: EndedReply): Promise<boolean> {
    const ended = await this.#end(pull, standsOf(pull), 'done', { reply });
    if (!ended && reply.beside === true && !(await this.#isDone(pull))) await this.#dropReply(pull);
    return ended;
  }

  /**
   * A pull that was sent and whose answer does not come. One that only reads goes back to the queue while it has time
   * (`queued`); any other ends: nobody knows whether it acted. `changed`: another word came first.
   */
  async unanswered(pull: QueuedPull, why: string): Promise<'queued' | 'unknown' | 'changed'> {
    const mayRepeat = safeMethods.has(pull.method) && pull.sends < mostSends;
    if (mayRepeat && pull.deadlineAt > this.#options.clock.wall()) {
      return (await this.takeBack(pull)) ? 'queued' : 'changed';
    }
    const fault = keptFault(outcomeUnknown(pull, why), 'relay');
    const ended = await this.#end(pull, standsOf(pull), 'unknown', { fault });
    return ended ? 'unknown' : 'changed';
  }

  /** Back to the queue: the device never got it, or it may get it again. */
  async takeBack(pull: QueuedPull): Promise<boolean> {
    const { sending } = pull;
    if (sending === undefined) return false;
    const isBack = await this.#options.store.takeBack(pull, sending.sentAs);
    if (isBack) await this.#dropReply(pull);
    return isBack;
  }

  async #end(
    pull: QueuedPull,
    stands: PullStands,
    state: PullEnd['state'],
    how: Pick<PullEnd, 'reply' | 'fault'>,
  ): Promise<boolean> {
    const { store, large, clock, log } = this.#options;
    const endedAt = clock.wall();
    const end = { state, endedAt, ...how };
    const ended = await store.endPull(pull, stands, end, endedAt + pull.keepMs);
    if (!ended) return false;
    log.ended(pull, end);
    if (pull.besideBytes !== undefined) await large.drop(pull.owner, requestKey(pull));
    if (state !== 'done') await this.#dropReply(pull);
    return true;
  }

  /** By this very reply: another process, or a write whose answer was lost, was first. */
  async #isDone(pull: QueuedPull): Promise<boolean> {
    const now = await this.#options.store.queuedPull(pull, 0);
    return now?.state === 'done' && now.sending?.sentAs === pull.sending?.sentAs;
  }

  /** What came of a reply that nobody will ask for. */
  async #dropReply({ owner, sending }: QueuedPull): Promise<void> {
    if (sending !== undefined) await this.#options.large.drop(owner, replyKey(sending.sentAs));
  }
}

function standsOf({ state, sending }: QueuedPull): PullStands {
  return state === 'sent' && sending !== undefined ? { sentAs: sending.sentAs } : 'queued';
}
