import {
  type CancelReason,
  type Clock,
  headerValue,
  type Pull,
  PullFault,
  type Put,
  type RequestBody,
  type RequestEnd,
  type Resend,
  type Timer,
  WireError,
} from '@pullwire/shared';
import { GatheredReply } from '../reply/gathered-reply.ts';
import { framesGone, type KeptReply } from '../reply/kept-reply.ts';
import type { ObjectReplyParts } from '../reply/object-reply.ts';
import { type ReplyOutcome, ReplySender } from '../reply/reply-sender.ts';
import type { SourceRun } from '../source/source.ts';
import type { Admission, PolicedSource } from './policed-source.ts';
import type { PullLink } from './pull-link.ts';
import { RequestBodyStream } from './request-body.ts';

/** The audit line of one pull: who asked what, and what became of it. The query may hold secrets and is left out. */
export interface PullAudit {
  readonly pullId: string;
  readonly caller: string;
  readonly source: string;
  readonly method: string;
  readonly path: string;
  /** `done`, an error code, or why the relay or the link ended it. */
  readonly outcome: string;
  readonly stage: string | undefined;
  readonly detail: string | undefined;
  readonly status: number | undefined;
  readonly bytes: number;
  readonly ms: number;
}

export interface AgentPullHooks {
  audit(line: PullAudit): void;
  /** `wanted`: nobody said that the reply is not wanted any more. */
  ended(pullId: string, link: PullLink, wanted: boolean): void;
}

/** What the relay's features need. */
export interface AgentPullWays {
  /** The way back, where the relay may want the reply again. */
  readonly kept: KeptReply | undefined;
  readonly objects: ObjectReplyParts;
}

/** A relay that cancels because a reply channel is gone may say `resend` right after (PROTOCOL.md, "Features"). */
const resendWithinMs = 1_000;

/** The agent gives up this much before the relay would, so that the error names the step that knows the reason. */
const marginMs = (budgetMs: number): number => Math.min(500, budgetMs * 0.1);

/** One pull at the agent, from the frame that asks for it to the last frame of its reply. */
export class AgentPull {
  readonly link: PullLink;
  readonly #pull: Pull;
  readonly #clock: Clock;
  readonly #hooks: AgentPullHooks;
  readonly #way: PullLink;
  readonly #kept: KeptReply | undefined;
  readonly #reply: ReplySender | GatheredReply;
  readonly #arrivedAt: number;
  #admission: Admission | undefined;
  #run: SourceRun | undefined;
  #body: RequestBodyStream | undefined;
  #deadline: Timer | undefined;
  #resendDue: Timer | undefined;
  #stopped: string | undefined;
  #over = false;

  constructor(
    pull: Pull,
    link: PullLink,
    clock: Clock,
    ways: AgentPullWays,
    hooks: AgentPullHooks,
  ) {
    this.#pull = pull;
    this.link = link;
    this.#clock = clock;
    this.#hooks = hooks;
    this.#arrivedAt = clock.monotonic();
    this.#kept = ways.kept;
    this.#way = ways.kept ?? link;
    const elapsed = (): number => clock.monotonic() - this.#arrivedAt;
    const way = this.#way;
    const sender = new ReplySender(way, pull, { elapsed, ended: (outcome) => this.#end(outcome) });
    const { objects } = ways;
    this.#reply = link.features.upload
      ? new GatheredReply({ sender, way, pull, clock, objects, elapsed })
      : sender;
  }

  /** Runs the pull at `found`, or answers with the fault that stands in its place. */
  start(found: PolicedSource | PullFault): void {
    if (found instanceof PullFault) return this.#reply.fail(found);
    try {
      this.#admission = found.policy.admit({
        method: this.#pull.method,
        path: this.#pull.path,
        bodyLength: this.#bodyLength(),
        caller: this.#pull.caller,
      });
    } catch (error) {
      return this.#reply.fail(asFault(error, 'policy'));
    }
    this.#open(found, this.#admission);
  }

  requestBody(frame: RequestBody | RequestEnd): void {
    try {
      this.#body?.receive(frame);
    } catch (error) {
      this.#abort(asFault(error, 'stream'));
    }
  }

  raise(limit: number): void {
    this.#reply.raise(limit);
  }

  room(): void {
    this.#reply.room();
  }

  /** The relay wants the reply again, and elsewhere. */
  resend({ replyTo, have }: Resend): void {
    this.#resendDue?.cancel();
    this.#resendDue = undefined;
    if (this.#kept?.resend(replyTo, have) === false) {
      const { detail } = framesGone(this.#pull.pullId, replyTo);
      return this.#abort(new PullFault('agent-error', 'stream', { detail }));
    }
    if (this.#reply instanceof GatheredReply) this.#reply.repeat();
    this.#reply.room();
  }

  /** Where a part of the reply goes. */
  put(message: Put): void {
    if (this.#reply instanceof GatheredReply) this.#reply.put(message);
  }

  /** The relay does not want the reply, or cannot receive it now. */
  cancel(reason: CancelReason): void {
    if (reason !== 'relay' || this.#kept === undefined) return this.stop(reason);
    if (this.#resendDue !== undefined) return;
    this.#kept.mute();
    this.#resendDue = this.#clock.after(resendWithinMs, () => this.stop(reason));
  }

  /** The relay cancelled, or the link was lost: nothing more is sent, the source stops at once. */
  stop(reason: string): void {
    this.#stopped = reason;
    this.#reply.stop(new PullFault('caller-left', 'stream', { detail: reason }));
  }

  #open(found: PolicedSource, admission: Admission): void {
    const pull = this.#pull;
    const budgetMs = pull.deadlineMs - marginMs(pull.deadlineMs);
    this.#deadline = this.#clock.after(budgetMs, () => this.#late(budgetMs));
    if (!pull.end) this.#body = this.#openBody(found.policy.requestBytes);
    this.#run = found.source.open(
      {
        pullId: pull.pullId,
        caller: pull.caller,
        method: pull.method,
        path: pull.path,
        segments: admission.segments,
        query: pull.query,
        headers: pull.headers,
        body: this.#body ?? pull.body,
        budgetMs: budgetMs - marginMs(budgetMs),
      },
      this.#reply,
    );
    if (this.#over) this.#run.cancel();
    else this.#reply.attach(this.#run);
  }

  #openBody(limitBytes: number): RequestBodyStream {
    const { pullId, replyTo } = this.#pull;
    const body = new RequestBodyStream(
      (limit) => this.#way.control({ action: 'credit', pullId, replyTo, limit }),
      limitBytes,
      () =>
        new PullFault('request-body-too-large', 'policy', {
          detail: `the request body is larger than the ${limitBytes} bytes that the source allows (limits.requestBytes)`,
        }),
    );
    // A source that never reads the body would leave this event without a listener, which ends the process.
    body.on('error', (error) => this.#abort(asFault(error, 'stream')));
    return body;
  }

  #bodyLength(): number | undefined {
    if (this.#pull.end) return this.#pull.body?.length ?? 0;
    const declared = headerValue(this.#pull.headers, 'content-length');
    return declared === undefined ? undefined : Number(declared);
  }

  #late(budgetMs: number): void {
    if (this.#reply.begun) return;
    this.#abort(
      new PullFault('upstream-timeout', 'upstream', {
        detail: `source "${this.#pull.source}" gave no reply within ${Math.round(budgetMs)} ms`,
      }),
    );
  }

  #abort(fault: PullFault): void {
    this.#reply.fail(fault);
  }

  #end(outcome: ReplyOutcome): void {
    if (this.#over) return;
    this.#over = true;
    this.#deadline?.cancel();
    this.#resendDue?.cancel();
    this.#run?.cancel();
    this.#body?.destroy();
    this.#admission?.release();
    this.#hooks.audit(this.#auditLine(outcome));
    this.#hooks.ended(this.#pull.pullId, this.link, this.#stopped === undefined);
  }

  #auditLine(outcome: ReplyOutcome): PullAudit {
    const { pullId, caller, source, method, path } = this.#pull;
    return {
      pullId,
      caller,
      source,
      method,
      path,
      outcome: this.#stopped ?? outcome.fault?.code ?? 'done',
      stage: this.#stopped === undefined ? outcome.fault?.stage : undefined,
      detail: this.#stopped === undefined ? outcome.fault?.message : undefined,
      status: outcome.status,
      bytes: outcome.bytes,
      ms: Math.round((this.#clock.monotonic() - this.#arrivedAt) * 1_000) / 1_000,
    };
  }
}

function asFault(error: unknown, stage: 'policy' | 'stream'): PullFault {
  if (error instanceof PullFault) return error;
  if (error instanceof WireError) {
    return new PullFault('protocol-error', 'stream', { detail: error.message, cause: error });
  }
  return new PullFault('agent-error', stage, {
    detail: 'the agent failed; its log says why',
    cause: error,
  });
}
