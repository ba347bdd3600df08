import type { Readable } from 'node:stream';
import type { HeaderList, PullFault, SourceInfo } from '@pullwire/shared';

/** What a pull asks of a source. Policy has let it in already. */
export interface SourceRequest {
  readonly pullId: string;
  /** The caller's name, by the relay's word. */
  readonly caller: string;
  readonly method: string;
  /** Raw, begins with `/`: what is forwarded is byte for byte what was matched. */
  readonly path: string;
  /** `path` split on `/`, each segment decoded once by the path rule; a trailing `/` gives a last empty one. */
  readonly segments: readonly string[];
  /** Raw, without `?`; undefined where the request had no `?`. */
  readonly query: string | undefined;
  /** As they came over the wire; the source removes what is hop-by-hop for it. */
  readonly headers: HeaderList;
  /** Undefined: no body. Bytes: the whole body. Readable: a body of any size; reading it opens credit. */
  readonly body: Uint8Array | Readable | undefined;
  /** Until the reply's head is due. */
  readonly budgetMs: number;
}

/** Where a source writes its reply. After `end` or `fail`, or after the run was cancelled, calls do nothing. */
export interface ReplyWriter {
  head(status: number, reason: string | undefined, headers: HeaderList): void;
  /**
   * Takes a piece of the body of any size; the bytes belong to the writer from now on.
   * Returns false where the source should hold until `SourceRun.resume()`.
   */
  body(chunk: Uint8Array): boolean;
  end(trailers?: HeaderList): void;
  /** Before the head: an honest error answer. After it: a transfer that the caller sees break. */
  fail(fault: PullFault): void;
}

/** One pull at a source. */
export interface SourceRun {
  /** There is room again after `body` returned false. */
  resume(): void;
  /** Stops reading upstream at once and frees everything. Calling it twice, or after the end, does nothing. */
  cancel(): void;
}

/** A named, allow-listed thing that the agent can read. One contract suite runs against every kind. */
export interface Source {
  readonly info: SourceInfo;
  /** Starts at once; never throws: what goes wrong is told to `reply.fail`. */
  open(request: SourceRequest, reply: ReplyWriter): SourceRun;
  /** Frees pooled connections and the like; runs still open are cancelled by their owner before. */
  close(): Promise<void>;
}
