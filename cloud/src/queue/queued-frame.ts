import { codecFor, headBytes, headLimitBytes, type Pull, PullFault } from '@pullwire/shared';
import { agentDeadlineMs } from '../pull/agent-deadline.ts';
import type { QueuedPull } from './queued-pull.ts';

/** A gateway's links speak it, with the smaller frames: what fits there fits everywhere. */
const codec = codecFor('pullwire.v1+json');
/** As long as the longest that is signed for a device. */
const anyReplyTo = (device: string): string =>
  'x'.repeat(Math.ceil(((80 + device.length) * 4) / 3));
const anyPullId = 'A'.repeat(22);

/** DESIGN.md, "Decisions" 5: the inline limit of a gateway. What is larger goes by object storage. */
export const gatewayCredit = 88_000;
/** But for what takes its time (PROTOCOL.md, "Features", `upload`): of that as many bytes are kept by frames, an item each, */
export const keptFrameBytes = 1_048_576;
/** in as many pieces: a reply in more is a stream, which nobody waits for here. */
export const keptFrames = 256;

export interface FrameTerms {
  readonly sentAs: string;
  readonly replyTo: string;
  /** Bytes of the reply that may come unasked. */
  readonly credit: number;
}

/** The pull as it goes down a link. */
export function pullFrame(pull: QueuedPull, { sentAs, replyTo, credit }: FrameTerms): Pull {
  const { source, method, path, query, headers, caller, body, besideBytes, answerMs } = pull;
  return {
    action: 'pull',
    pullId: sentAs,
    replyTo,
    seq: 0,
    source,
    method,
    path,
    ...(query === undefined ? undefined : { query }),
    headers,
    deadlineMs: agentDeadlineMs(answerMs),
    credit,
    caller,
    end: besideBytes === undefined,
    ...(body.length === 0 ? undefined : { body }),
  };
}

/** Throws `PullFault` `request-head-too-large`. */
export function checkHead(pull: QueuedPull): void {
  const { path, query, headers } = pull;
  if (headBytes(headers) + path.length + (query?.length ?? 0) <= headLimitBytes) return;
  throw new PullFault('request-head-too-large', 'lookup', {
    detail: `headers, path and query together are over ${headLimitBytes} bytes`,
  });
}

/** How many bytes of body fit into the pull's frame: larger ones go behind it. */
export function frameRoom(pull: QueuedPull): number {
  const headers = [...pull.headers, 'Content-Length', '1000000000'];
  const frame = pullFrame(
    { ...pull, headers },
    { sentAs: anyPullId, replyTo: anyReplyTo(pull.device), credit: 2 ** 31 - 1 },
  );
  return Math.max(0, codec.bodyRoom(frame));
}
