import type { Clock, Head } from '@pullwire/shared';
import type { Exchange } from '../http/exchange.ts';
import { CallerGone, PacedBody } from '../http/paced-body.ts';
import { hasReplyBody, replyHeaders } from '../http/pull-headers.ts';
import { orUnavailable } from '../presence/or-unavailable.ts';
import { replyKey } from './kept-body.ts';
import type { LargeBodies } from './large-bodies.ts';
import type { QueueLog } from './queue-events.ts';
import type { QueueStore } from './queue-store.ts';
import { pullUnknown } from './queued-fault.ts';
import type { EndedReply, QueuedPull } from './queued-pull.ts';
import { wholeReply } from './reply-frame.ts';

export interface KeptAnswerOptions {
  readonly store: Pick<QueueStore, 'frames'>;
  readonly large: Pick<LargeBodies, 'open'>;
  readonly clock: Clock;
  readonly log: Pick<QueueLog, 'failed'>;
}

/** For how long a caller may take nothing of it (milliseconds). */
const patienceMs = 60_000;

/** Gives callers the answers that were kept of their pulls. */
export class KeptAnswer {
  readonly #options: KeptAnswerOptions;

  constructor(options: KeptAnswerOptions) {
    this.#options = options;
  }

  /** `more`: headers that the relay says besides. Rejects with `PullFault` where nothing has been answered yet. */
  async give(exchange: Exchange, pull: QueuedPull, more: readonly string[]): Promise<void> {
    const { store } = this.#options;
    const reply = pull.end?.reply;
    const frames = await orUnavailable(store.frames(pull.sending?.sentAs ?? ''));
    if (reply?.beside === true && frames[0]?.action === 'head') {
      return this.#giveLarge(exchange, pull, { head: frames[0], reply, more });
    }
    const small = wholeReply(frames, pull.method);
    if (small === undefined) throw pullUnknown(); // swept between two reads
    begin(exchange, pull, small.head, { bytes: small.body.length, more });
    exchange.end(exchange.method === 'HEAD' ? undefined : small.body);
  }

  async #giveLarge(
    exchange: Exchange,
    pull: QueuedPull,
    kept: {
      readonly head: Head;
      readonly reply: EndedReply;
      readonly more: readonly string[];
    },
  ): Promise<void> {
    const { bytes } = kept.reply;
    const key = replyKey(pull.sending?.sentAs ?? '');
    const body = await orUnavailable(this.#options.large.open(key, bytes));
    begin(exchange, pull, kept.head, { bytes, more: kept.more });
    try {
      await this.#stream(exchange, body, bytes);
    } catch (error) {
      exchange.breakOff();
      if (!(error instanceof CallerGone)) this.#options.log.failed(error, pull.device);
    }
  }

  async #stream(exchange: Exchange, body: AsyncIterable<Uint8Array>, bytes: number): Promise<void> {
    const paced = new PacedBody(exchange, this.#options.clock, patienceMs);
    let sent = 0;
    for await (const chunk of body) {
      if (exchange.method === 'HEAD') return exchange.end();
      sent += chunk.length;
      await paced.write(chunk);
    }
    if (sent !== bytes) throw new Error(`${sent} bytes were read of a reply that has ${bytes}`);
    paced.end();
  }
}

function begin(
  exchange: Exchange,
  { method, sending, end, queuedAt }: QueuedPull,
  head: Head,
  { bytes, more }: { readonly bytes: number; readonly more: readonly string[] },
): void {
  const totalMs = (end?.endedAt ?? queuedAt) - queuedAt;
  const pullId = sending?.sentAs ?? '';
  const headers = replyHeaders(head, { pullId, trailers: false, totalMs });
  const list = hasReplyBody(method, head.status) ? withLength(headers, bytes) : headers;
  exchange.head(head.status, head.reason, [...list, ...more]);
}

function withLength(headers: readonly string[], bytes: number): string[] {
  const kept: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] as string;
    if (name.toLowerCase() !== 'content-length') kept.push(name, headers[at + 1] as string);
  }
  return [...kept, 'Content-Length', String(bytes)];
}
