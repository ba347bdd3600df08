import { type Clock, PullFault, type Timer } from '@pullwire/shared';
import type { CommandSourceConfig } from './command-config.ts';
import { commandFault } from './command-fault.ts';
import { OutputTail } from './output-tail.ts';
import { type ProcessExit, ProcessGroup, type ProcessSpec } from './process-group.ts';
import type { ReplyWriter, SourceRequest, SourceRun } from './source.ts';

/** Output up to this size is collected, so that a failure is told in place of it. */
const collectBytes = 64 * 1024;

/** What the runs of one source have in common. */
export interface CommandRunContext {
  readonly name: string;
  readonly config: CommandSourceConfig;
  readonly clock: Clock;
  /** Processes that have not exited. */
  readonly living: Set<ProcessGroup>;
}

/** One run of a command, from its start until it and its children are gone. */
export class CommandRun implements SourceRun {
  readonly #context: CommandRunContext;
  readonly #request: SourceRequest;
  readonly #reply: ReplyWriter;
  readonly #stderr: OutputTail;
  #group: ProcessGroup | undefined;
  #timer: Timer | undefined;
  #collected: Buffer[] = [];
  #bytes = 0;
  #hasHead = false;
  #isOver = false;

  constructor(context: CommandRunContext, request: SourceRequest, reply: ReplyWriter) {
    this.#context = context;
    this.#request = request;
    this.#reply = reply;
    this.#stderr = new OutputTail(context.config.stderrTail);
  }

  /** `spec` may throw: a `PullFault` where the request is refused. */
  start(spec: () => ProcessSpec): void {
    const { clock, config } = this.#context;
    try {
      this.#run(spec());
      const ms = Math.min(config.timeoutMs, this.#request.budgetMs);
      this.#timer = clock.after(ms, () => this.#headIsDue(ms));
    } catch (error) {
      this.#cannotStart(error);
    }
  }

  resume(): void {
    if (!this.#isOver) this.#group?.stdout?.resume();
  }

  cancel(): void {
    if (this.#finish()) this.#group?.stop();
  }

  #run(spec: ProcessSpec): void {
    const { clock, living } = this.#context;
    const group = new ProcessGroup(clock);
    group.start(spec, {
      stdout: (chunk) => this.#output(chunk),
      stderr: (chunk) => this.#stderr.push(chunk),
      closed: (exit) => {
        living.delete(group);
        this.#closed(exit);
      },
    });
    this.#group = group;
    living.add(group);
  }

  #output(chunk: Buffer): void {
    if (this.#isOver) return;
    this.#bytes += chunk.length;
    if (this.#bytes > this.#context.config.outputBytes) return this.#fail(this.#tooLarge());
    if (this.#hasHead) return this.#write(chunk);
    this.#collected.push(chunk);
    if (this.#bytes > collectBytes) this.#beginStream();
  }

  #beginStream(): void {
    this.#head(undefined);
    if (this.#request.method === 'HEAD') {
      this.#end();
      this.#group?.stop();
    } else {
      this.#write(this.#takeCollected());
    }
  }

  #write(chunk: Buffer): void {
    if (!this.#reply.body(chunk) && !this.#isOver) this.#group?.stdout?.pause();
  }

  #closed(exit: ProcessExit | NodeJS.ErrnoException): void {
    if (this.#isOver) return;
    if (exit instanceof Error) return this.#cannotStart(exit);
    if (exit.code !== 0) return this.#fail(this.#exitFault(exit));
    if (!this.#hasHead) {
      const body = this.#takeCollected();
      this.#head(body.length);
      if (this.#request.method !== 'HEAD' && body.length > 0) this.#reply.body(body);
    }
    this.#end();
  }

  #head(length: number | undefined): void {
    this.#hasHead = true;
    const headers = ['Content-Type', this.#context.config.contentType];
    if (length !== undefined) headers.push('Content-Length', String(length));
    this.#reply.head(200, undefined, headers);
  }

  #takeCollected(): Buffer {
    const all = Buffer.concat(this.#collected);
    this.#collected = [];
    return all;
  }

  /** The first of the two time limits is over: the deadline of the head, or the whole run's. */
  #headIsDue(ms: number): void {
    const { clock, config } = this.#context;
    const left = config.timeoutMs - ms;
    if (!this.#hasHead || left <= 0) return this.#timeIsUp(ms);
    this.#timer = clock.after(left, () => this.#timeIsUp(config.timeoutMs));
  }

  #timeIsUp(ms: number): void {
    const detail = `the command of source "${this.#context.name}" was stopped after ${Math.round(ms)} ms (timeoutMs, or the pull's deadline)`;
    const code = this.#hasHead ? 'reply-broken' : 'upstream-timeout';
    this.#fail(new PullFault(code, this.#stage, { detail }));
  }

  #tooLarge(): PullFault {
    const { name, config } = this.#context;
    const detail = `the command of source "${name}" wrote more than ${config.outputBytes} bytes (outputBytes)`;
    return new PullFault('reply-too-large', this.#stage, { detail });
  }

  #exitFault(exit: ProcessExit): PullFault {
    return commandFault(this.#context.name, exit, this.#stderr.text(), this.#stage);
  }

  get #stage(): 'upstream' | 'stream' {
    return this.#hasHead ? 'stream' : 'upstream';
  }

  #cannotStart(error: unknown): void {
    if (error instanceof PullFault) return this.#fail(error);
    const code = (error as NodeJS.ErrnoException).code ?? 'unknown';
    const detail = `the command of source "${this.#context.name}" could not be started (${code}): see argv and cwd`;
    this.#fail(new PullFault('source-failed', 'upstream-connect', { detail, cause: error }));
  }

  #end(): void {
    if (this.#finish()) this.#reply.end();
  }

  #fail(fault: PullFault): void {
    if (!this.#finish()) return;
    this.#group?.stop();
    this.#reply.fail(fault);
  }

  /** False where it was over before. */
  #finish(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#timer?.cancel();
    this.#collected = [];
    return true;
  }
}
