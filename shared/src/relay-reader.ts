import { readBye } from './bye-fields.ts';
import type { Draft, Envelope } from './envelope.ts';
import {
  checkBudget,
  checkCount,
  checkEnd,
  checkFirstSeq,
  checkPattern,
  checkReplyTo,
  checkSeq,
  checkText,
  type Fields,
  valueLimit,
} from './field.ts';
import { checkHeaders, checkPath, checkQuery } from './head-fields.ts';
import {
  type Cancel,
  type CancelReason,
  cancelReasons,
  type KeptAlive,
  type Probe,
  type Pull,
  type RelayCredit,
  type RelayMessage,
  type RequestBody,
  type RequestEnd,
  type Resend,
} from './message.ts';
import { methodPattern, sourcePattern } from './name.ts';
import { checkPullId } from './pull-id.ts';
import { readHeld, readStored } from './reading-fields.ts';
import { readRotated } from './rotate-fields.ts';
import { readPut } from './upload-fields.ts';
import { readWelcome } from './welcome-fields.ts';
import { refuse } from './wire-error.ts';

const connectionIdLimit = 128;

/**
 * Checks the fields of a relay's message, each by its rule in PROTOCOL.md, "Relay → agent". Returns undefined where a
 * relay has no such action; throws `WireError` where a field is wrong.
 */
export function readRelayMessage(action: string, envelope: Envelope): RelayMessage | undefined {
  switch (action) {
    case 'pull':
      return readPull(envelope);
    case 'body':
      return readBody(envelope);
    case 'end':
      return readEnd(envelope);
    case 'credit':
      return readCredit(envelope);
    case 'cancel':
      return readCancel(envelope);
    case 'resend':
      return readResend(envelope);
    case 'put':
      return readPut(envelope);
    case 'welcome':
      return readWelcome(envelope.fields);
    case 'drain':
      return { action, withinMs: checkBudget(envelope.fields.withinMs, 'withinMs') };
    case 'bye':
      return readBye(envelope.fields);
    case 'kept-alive':
      return readKeptAlive(envelope.fields);
    case 'rotate':
      return { action };
    case 'rotated':
      return readRotated(envelope.fields);
    case 'probe':
      return readProbe(envelope);
    case 'stored':
      return readStored(envelope.fields);
    case 'held':
      return readHeld(envelope.fields);
    default:
      return undefined;
  }
}

function readPull({ pullId, replyTo, seq, end, body, fields }: Envelope): Pull {
  const path = checkPath(fields.path);
  const query = fields.query === undefined ? undefined : checkQuery(fields.query);
  const pull: Draft<Pull> = {
    action: 'pull',
    pullId: checkPullId(pullId),
    replyTo: checkReplyTo(replyTo),
    seq: checkFirstSeq(seq),
    source: checkPattern(fields.source, 'source', sourcePattern),
    method: checkPattern(fields.method, 'method', methodPattern),
    path,
    headers: checkHeaders(fields.headers, 'headers', path.length + (query?.length ?? 0)),
    deadlineMs: checkBudget(fields.deadlineMs, 'deadlineMs'),
    credit: checkCount(fields.credit, 'credit'),
    caller: checkText(fields.caller, 'caller', valueLimit),
    end: checkEnd(end),
  };
  if (query !== undefined) pull.query = query;
  if (body !== undefined && body.length > 0) pull.body = body;
  return pull;
}

function readBody({ pullId, seq, end, body }: Envelope): RequestBody {
  return {
    action: 'body',
    pullId: checkPullId(pullId),
    seq: checkSeq(seq),
    end: checkEnd(end),
    body: body ?? refuse('body', 'bytes'),
  };
}

function readEnd({ pullId, seq, fields }: Envelope): RequestEnd {
  const end: Draft<RequestEnd> = { action: 'end', pullId: checkPullId(pullId), seq: checkSeq(seq) };
  if (fields.trailers !== undefined) end.trailers = checkHeaders(fields.trailers, 'trailers');
  return end;
}

function readCredit({ pullId, fields }: Envelope): RelayCredit {
  return {
    action: 'credit',
    pullId: checkPullId(pullId),
    limit: checkCount(fields.limit, 'limit'),
  };
}

function readCancel({ pullId, fields }: Envelope): Cancel {
  if (!(cancelReasons as readonly unknown[]).includes(fields.reason)) {
    refuse('reason', `one of ${cancelReasons.join(', ')}`);
  }
  return { action: 'cancel', pullId: checkPullId(pullId), reason: fields.reason as CancelReason };
}

function readResend({ pullId, replyTo, fields }: Envelope): Resend {
  return {
    action: 'resend',
    pullId: checkPullId(pullId),
    replyTo: checkReplyTo(replyTo),
    have: checkCount(fields.have, 'have'),
  };
}

function readProbe({ pullId, replyTo }: Envelope): Probe {
  return { action: 'probe', pullId: checkPullId(pullId), replyTo: checkReplyTo(replyTo) };
}

function readKeptAlive({ connectionId }: Fields): KeptAlive {
  if (connectionId === undefined) return { action: 'kept-alive' };
  return {
    action: 'kept-alive',
    connectionId: checkText(connectionId, 'connectionId', connectionIdLimit),
  };
}
