import { readBye } from './bye-fields.ts';
import type { Draft, Envelope } from './envelope.ts';
import { readFault } from './fault-fields.ts';
import {
  checkCount,
  checkEnd,
  checkFirstSeq,
  checkMilliseconds,
  checkObject,
  checkReplyTo,
  checkSeq,
} from './field.ts';
import { checkHeaders, checkReason, checkStatus } from './head-fields.ts';
import { readHello } from './hello-fields.ts';
import type {
  AgentCredit,
  AgentMessage,
  Head,
  Probed,
  ReplyBody,
  ReplyEnd,
  Timing,
} from './message.ts';
import { checkPullId } from './pull-id.ts';
import { readReading } from './reading-fields.ts';
import { readOfferedKey } from './rotate-fields.ts';
import { readComplete, readUpload } from './upload-fields.ts';
import { refuse } from './wire-error.ts';

/**
 * Checks the fields of an agent's message, each by its rule in PROTOCOL.md, "Agent → relay". Returns undefined where an
 * agent has no such action; throws `WireError` where a field is wrong.
 */
export function readAgentMessage(action: string, envelope: Envelope): AgentMessage | undefined {
  switch (action) {
    case 'head':
      return readHead(envelope);
    case 'body':
      return readBody(envelope);
    case 'end':
      return readEnd(envelope);
    case 'fault':
      return readFault(envelope);
    case 'credit':
      return readCredit(envelope);
    case 'upload':
      return readUpload(envelope);
    case 'complete':
      return readComplete(envelope);
    case 'hello':
      return readHello(envelope.fields);
    case 'bye':
      return readBye(envelope.fields);
    case 'drain':
      return { action };
    case 'keep-alive':
      return { action };
    case 'rotate':
      return readOfferedKey(envelope.fields);
    case 'probed':
      return readProbed(envelope);
    case 'reading':
      return readReading(envelope);
    default:
      return undefined;
  }
}

function readHead({ pullId, replyTo, seq, end, body, fields }: Envelope): Head {
  const head: Draft<Head> = {
    action: 'head',
    pullId: checkPullId(pullId),
    replyTo: checkReplyTo(replyTo),
    seq: checkFirstSeq(seq),
    status: checkStatus(fields.status),
    headers: checkHeaders(fields.headers, 'headers'),
    end: checkEnd(end),
  };
  if (fields.reason !== undefined) head.reason = checkReason(fields.reason);
  if (fields.timing !== undefined) head.timing = readTiming(fields.timing);
  if (body !== undefined && body.length > 0) head.body = body;
  return head;
}

function readTiming(value: unknown): Timing {
  const timing = checkObject(value, 'timing');
  return {
    agentMs: checkMilliseconds(timing.agentMs, 'timing.agentMs'),
    upstreamMs: checkMilliseconds(timing.upstreamMs, 'timing.upstreamMs'),
  };
}

function readBody({ pullId, replyTo, seq, end, body }: Envelope): ReplyBody {
  return {
    action: 'body',
    pullId: checkPullId(pullId),
    replyTo: checkReplyTo(replyTo),
    seq: checkSeq(seq),
    end: checkEnd(end),
    body: body ?? refuse('body', 'bytes'),
  };
}

function readEnd({ pullId, replyTo, seq, fields }: Envelope): ReplyEnd {
  const end: Draft<ReplyEnd> = {
    action: 'end',
    pullId: checkPullId(pullId),
    replyTo: checkReplyTo(replyTo),
    seq: checkSeq(seq),
  };
  if (fields.trailers !== undefined) end.trailers = checkHeaders(fields.trailers, 'trailers');
  return end;
}

function readCredit({ pullId, replyTo, fields }: Envelope): AgentCredit {
  return {
    action: 'credit',
    pullId: checkPullId(pullId),
    replyTo: checkReplyTo(replyTo),
    limit: checkCount(fields.limit, 'limit'),
  };
}

function readProbed({ pullId, replyTo }: Envelope): Probed {
  return { action: 'probed', pullId: checkPullId(pullId), replyTo: checkReplyTo(replyTo) };
}
