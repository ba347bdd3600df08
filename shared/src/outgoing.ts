import { fitFault } from './fault-fields.ts';
import { checkReplyTo, checkSeq } from './field.ts';
import { checkHeaders, checkPath, checkQuery, checkReason } from './head-fields.ts';
import { readHello } from './hello-fields.ts';
import type {
  AgentMessage,
  Complete,
  Fault,
  Head,
  HeaderList,
  Held,
  Hello,
  KeptAlive,
  OfferedKey,
  Pull,
  Put,
  Reading,
  RelayMessage,
  Rotated,
  Stored,
  Upload,
  Welcome,
} from './message.ts';
import { checkPullId } from './pull-id.ts';
import { readHeld, readReading, readStored } from './reading-fields.ts';
import { readOfferedKey, readRotated } from './rotate-fields.ts';
import { checkUrl, readParts } from './upload-fields.ts';
import { readWelcome } from './welcome-fields.ts';

/** A message on its way out, as both encodings see it: what has a place of its own, and all the rest as JSON text. */
export interface Outgoing {
  readonly pullId: string | undefined;
  readonly replyTo: string | undefined;
  readonly seq: number | undefined;
  readonly end: boolean;
  /** Undefined where there is none; an empty one is kept for `body` alone. */
  readonly body: Uint8Array | undefined;
  /** A JSON object with the other fields in the order of PROTOCOL.md; undefined where there are none. */
  readonly meta: string | undefined;
}

/**
 * Checks what comes from elsewhere, headers of an upstream above all, since one frame that the peer refuses would end
 * the whole link. Throws `WireError`.
 */
export function outgoing(message: AgentMessage | RelayMessage): Outgoing {
  const meta = metaOf(message);
  return {
    pullId: 'pullId' in message ? checkPullId(message.pullId) : undefined,
    replyTo: 'replyTo' in message ? checkReplyTo(message.replyTo) : undefined,
    seq: seqOf(message),
    end: 'end' in message && message.end,
    body: bodyOf(message),
    meta: meta === undefined ? undefined : JSON.stringify(meta),
  };
}

function seqOf(message: AgentMessage | RelayMessage): number | undefined {
  if (message.action === 'head' || message.action === 'pull') return 0;
  return 'seq' in message ? checkSeq(message.seq) : undefined;
}

function bodyOf(message: AgentMessage | RelayMessage): Uint8Array | undefined {
  if (message.action === 'body') return message.body;
  return 'body' in message && message.body.length > 0 ? message.body : undefined;
}

function metaOf(message: AgentMessage | RelayMessage): object | undefined {
  switch (message.action) {
    case 'head':
      return headMeta(message);
    case 'pull':
      return pullMeta(message);
    case 'body':
    case 'keep-alive':
    case 'probe':
    case 'probed':
      return undefined;
    case 'kept-alive':
      return keptAliveMeta(message);
    case 'end':
      return trailersMeta(message.trailers);
    case 'credit':
      return { limit: message.limit };
    case 'cancel':
      return { reason: message.reason };
    case 'resend':
      return { have: message.have };
    case 'upload':
      return uploadMeta(message);
    case 'put':
      return putMeta(message);
    case 'complete':
      return completeMeta(message);
    case 'fault':
      return faultMeta(fitFault(message));
    case 'drain':
      return 'withinMs' in message ? { withinMs: message.withinMs } : undefined;
    case 'bye':
      return { code: message.code, reason: message.reason };
    case 'reading':
      return readingMeta(readReading({ fields: { ...message }, body: message.body }));
    case 'stored':
      return storedMeta(readStored({ ...message }));
    case 'held':
      return heldMeta(readHeld({ ...message }));
    case 'rotate':
      return 'publicKey' in message ? offeredKeyMeta(readOfferedKey({ ...message })) : undefined;
    case 'rotated':
      return rotatedMeta(readRotated({ ...message }));
    case 'hello':
      return helloMeta(readHello({ ...message }));
    case 'welcome':
      return welcomeMeta(readWelcome({ ...message }));
  }
}

function headMeta({ status, reason, headers, timing }: Head): object {
  if (reason !== undefined) checkReason(reason);
  return { status, reason, headers: checkHeaders(headers, 'headers'), timing };
}

function pullMeta(pull: Pull): object {
  const { source, method, query, deadlineMs, credit, caller } = pull;
  const path = checkPath(pull.path);
  if (query !== undefined) checkQuery(query);
  const headers = checkHeaders(pull.headers, 'headers', path.length + (query?.length ?? 0));
  return { source, method, path, query, headers, deadlineMs, credit, caller };
}

function trailersMeta(trailers: HeaderList | undefined): object | undefined {
  return trailers === undefined ? undefined : { trailers: checkHeaders(trailers, 'trailers') };
}

function keptAliveMeta({ connectionId }: KeptAlive): object | undefined {
  return connectionId === undefined ? undefined : { connectionId };
}

function uploadMeta({ part, length, sha256, more }: Upload): object {
  return { part, length, sha256, more };
}

function putMeta({ part, url, headers }: Put): object {
  return { part, url: checkUrl(url), headers: checkHeaders(headers, 'headers') };
}

function completeMeta({ parts, length, trailers }: Complete): object {
  return { parts: readParts(parts), length, ...trailersMeta(trailers) };
}

function faultMeta({ code, stage, detail, retryAfterMs, extra }: Fault): object {
  return { code, stage, detail, retryAfterMs, extra };
}

function offeredKeyMeta({ publicKey, proof }: OfferedKey): object {
  return { publicKey, proof };
}

function rotatedMeta({ publicKey, refused }: Rotated): object {
  return { publicKey, refused };
}

function readingMeta({ batch, readings }: Reading): object {
  return { batch, readings };
}

function storedMeta({ batch, refused }: Stored): object {
  return { batch, refused };
}

function heldMeta({ batch, retryAfterMs, code, detail }: Held): object {
  return { batch, retryAfterMs, code, detail };
}

function helloMeta(hello: Hello): object {
  const { version, agent, device, instance, sources, labels, heartbeatMs, features, run } = hello;
  return { version, agent, device, instance, sources, labels, heartbeatMs, features, run };
}

function welcomeMeta({
  version,
  relay,
  limits,
  heartbeat,
  endOfLifeMs,
  features,
}: Welcome): object {
  return { version, relay, limits, heartbeat, endOfLifeMs, features };
}
