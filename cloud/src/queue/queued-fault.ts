import { PullFault } from '@pullwire/shared';
import type { AnsweredBy } from '../http/problem.ts';
import type { ObjectStoreError } from '../object/object-store-error.ts';
import type { QueuedFault, QueuedPull } from './queued-pull.ts';

/** A fault as it is kept. */
export function keptFault(fault: PullFault, answeredBy: QueuedFault['answeredBy']): QueuedFault {
  const { code, stage, message: detail, extra } = fault;
  return { code, stage, detail, answeredBy, ...(extra === undefined ? undefined : { extra }) };
}

/** Why a pull that has ended has no result, and whose word that is; undefined where it has one. */
export function faultOf({ end }: QueuedPull): readonly [PullFault, AnsweredBy] | undefined {
  const fault = end?.fault;
  if (fault === undefined) return undefined;
  const { code, stage, detail, answeredBy, extra } = fault;
  return [new PullFault(code, stage, { detail, ...(extra && { extra }) }), answeredBy];
}

const time = (ms: number): string => new Date(ms).toISOString();

/** One answer for an unknown pull and for another caller's: who may not know, learns nothing. */
export function pullUnknown(): PullFault {
  return new PullFault('pull-unknown', 'lookup', {
    detail: 'there is no such queued pull, or another key queued it, or it was kept long enough',
  });
}

export function queueFull(what: string, open: number, setting: string): PullFault {
  return new PullFault('queue-full', 'lookup', {
    detail: `${what} has ${open} pulls queued already (${setting})`,
    retryAfterMs: 30_000,
  });
}

/** Nothing was queued: its body finds no place. */
export function noRoomForRequest(perCallerBytes: number): PullFault {
  return new PullFault('queue-full', 'lookup', {
    detail: `what is kept of this caller's queued pulls may have ${perCallerBytes} bytes, and they are taken (queue.perCallerBytes): some of it goes when a pull that waits has ended, or was kept long enough (queue.keepMs)`,
    retryAfterMs: 30_000,
  });
}

/** Nothing was queued: the disk or the storage does not take its body. */
export function requestNotStored(cause: ObjectStoreError): PullFault {
  return new PullFault('storage-unavailable', 'lookup', {
    detail: `the request body could not be stored, and nothing was queued: ${cause.message}`,
    retryAfterMs: 5_000,
    cause,
  });
}

/** The device has answered, and its answer finds no place. */
export function noRoomForReply(perCallerBytes: number): PullFault {
  return new PullFault('reply-not-stored', 'stream', {
    detail: `the device has answered; but what is kept of this caller's queued pulls may have ${perCallerBytes} bytes, and they are taken (queue.perCallerBytes): some of it goes when it was kept long enough (queue.keepMs)`,
  });
}

/** The device has answered, and the disk or the storage does not take it. */
export function replyNotStored(cause: ObjectStoreError): PullFault {
  return new PullFault('reply-not-stored', 'stream', {
    detail: `the device has answered, and its answer could not be stored: ${cause.message}`,
    cause,
  });
}

export function pullPending({ state }: QueuedPull): PullFault {
  return new PullFault('pull-pending', 'lookup', {
    detail: `the pull is ${state}: there is no result yet`,
    retryAfterMs: 1_000,
  });
}

export function pullExpired({ deadlineAt }: QueuedPull): PullFault {
  return new PullFault('pull-expired', 'deadline', {
    detail: `the device did not come by ${time(deadlineAt)}: the pull was never sent (Pullwire-Deadline sets more)`,
  });
}

export function pullCancelled({ sending }: QueuedPull): PullFault {
  const before =
    sending === undefined
      ? 'it was never sent'
      : `it had been sent at ${time(sending.sentAt)}, and the device may have acted on it`;
  return new PullFault('pull-cancelled', sending === undefined ? 'lookup' : 'upstream', {
    detail: `its caller cancelled the pull; ${before}`,
  });
}

/** The honest word on a pull that was sent and may not be sent again. */
export function outcomeUnknown({ sending }: QueuedPull, why: string): PullFault {
  const at = sending === undefined ? '' : ` at ${time(sending.sentAt)}`;
  return new PullFault('outcome-unknown', 'upstream', {
    detail: `the pull was sent${at} and no answer came (${why}): the device may have acted on it, or not`,
  });
}
