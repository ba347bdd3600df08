import type { AgentMessage, Head, Pull, ReplyBody, ReplyEnd, WireError } from '@pullwire/shared';
import type { ReplyWriter, Source, SourceRequest, SourceRun } from '../source/source.ts';
import type { PullLink } from './pull-link.ts';

/** A link whose relay is the test. */
export class FakeLink implements PullLink {
  readonly subprotocol = 'pullwire.v1+json' as const;
  readonly limits = { frameBytes: 1_000, bodyBytes: 10 };
  features = { resend: false, upload: false };
  /** Resolves when something more has been sent. */
  #sentMore = Promise.withResolvers<void>();
  readonly sent: AgentMessage[] = [];
  hasRoom = true;
  refusal: WireError | undefined;

  bodyRoom(): number {
    return this.limits.bodyBytes;
  }

  control(message: AgentMessage): void {
    this.#send(message);
  }

  data(_pullId: string, message: Head | ReplyBody | ReplyEnd): boolean {
    if (this.refusal !== undefined) throw this.refusal;
    this.#send(message);
    return this.hasRoom;
  }

  forget(): void {}

  /** The next message of this action, from the `from`th on. */
  async until<A extends AgentMessage['action']>(
    action: A,
    from = 0,
  ): Promise<Extract<AgentMessage, { action: A }>> {
    for (;;) {
      const found = this.sent.slice(from).find((message) => message.action === action);
      if (found !== undefined) return found as Extract<AgentMessage, { action: A }>;
      await this.#sentMore.promise;
    }
  }

  #send(message: AgentMessage): void {
    this.sent.push(message);
    this.#sentMore.resolve();
    this.#sentMore = Promise.withResolvers();
  }

  get actions(): string[] {
    return this.sent.map((message) => message.action);
  }

  get body(): string {
    return this.sent
      .map((message) => ('body' in message ? Buffer.from(message.body ?? []).toString() : ''))
      .join('');
  }
}

/** A source whose upstream is the test. */
export class FakeSource implements Source {
  readonly info = { name: 'metrics', kind: 'fake', methods: ['GET'] };
  readonly opened: { request: SourceRequest; reply: ReplyWriter; run: FakeRun }[] = [];

  open(request: SourceRequest, reply: ReplyWriter): SourceRun {
    const run = new FakeRun();
    this.opened.push({ request, reply, run });
    return run;
  }

  async close(): Promise<void> {}

  get last(): { request: SourceRequest; reply: ReplyWriter; run: FakeRun } {
    const last = this.opened.at(-1);
    if (last === undefined) throw new Error('nothing was opened');
    return last;
  }
}

export class FakeRun implements SourceRun {
  resumed = 0;
  cancelled = 0;

  resume(): void {
    this.resumed += 1;
  }

  cancel(): void {
    this.cancelled += 1;
  }
}

let ids = 0;
/** Asked for GET /m of `metrics`, with an id of its own. */
export function pull(fields: Partial<Pull> = {}): Pull {
  ids += 1;
  const pullId = Buffer.alloc(16, ids).toString('base64url');
  return {
    action: 'pull',
    pullId,
    replyTo: `r${ids}`,
    seq: 0,
    source: 'metrics',
    method: 'GET',
    path: '/m',
    headers: [],
    deadlineMs: 10_000,
    credit: 100,
    caller: 'ops',
    end: true,
    ...fields,
  };
}

export const bytes = (text: string): Uint8Array => Buffer.from(text);
/** Resolves when what waits for the end of this turn has run. */
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
