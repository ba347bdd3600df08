import type { FileHandle } from 'node:fs/promises';
import { type HeaderList, PullFault } from '@pullwire/shared';
import type { AllowList } from '../policy/allow-list.ts';
import { isReachableName } from '../policy/path-rule.ts';
import { answerFile } from './file-answer.ts';
import type { FileSourceConfig } from './file-config.ts';
import { fileFault } from './file-fault.ts';
import { listFolder } from './file-listing.ts';
import { findTail, parseTail } from './file-tail.ts';
import { NotServedError, type OpenedEntry, openBelow } from './open-below.ts';
import type { ReplyWriter, SourceRequest, SourceRun } from './source.ts';

const pieceBytes = 64 * 1024;

/** What the runs of one source have in common. */
export interface FileRunContext {
  readonly name: string;
  readonly config: FileSourceConfig;
  readonly allow: AllowList;
  wall(): number;
}

/** One pull at a folder: the file or folder is open from `start` to the end or `cancel`. */
export class FileRun implements SourceRun {
  readonly #context: FileRunContext;
  readonly #request: SourceRequest;
  readonly #reply: ReplyWriter;
  #handle: FileHandle | undefined;
  #at = 0;
  #end = 0;
  #isHeld = false;
  #isReading = false;
  #isOver = false;

  constructor(context: FileRunContext, request: SourceRequest, reply: ReplyWriter) {
    this.#context = context;
    this.#request = request;
    this.#reply = reply;
  }

  start(): void {
    this.#serve().catch((error: unknown) => this.#fail(error));
  }

  resume(): void {
    if (!this.#isHeld || this.#isOver) return;
    this.#isHeld = false;
    this.#read().catch((error: unknown) => this.#fail(error));
  }

  cancel(): void {
    this.#finish();
  }

  async #serve(): Promise<void> {
    const { config } = this.#context;
    const tail = parseTail(this.#request.query, config.maxTailLines);
    const { segments } = this.#request;
    const names = segments.at(-1) === '' ? segments.slice(0, -1) : segments;
    // Policy has seen to it already; a name with a decoded `/` passed there.
    if (!names.every(isReachableName)) throw new NotServedError('no such name');
    const opened = await openBelow(config.root, names);
    if (this.#isOver) return opened.handle.close();
    this.#handle = opened.handle;
    const stat = await opened.handle.stat({ bigint: true });
    if (stat.isDirectory()) return this.#serveFolder(opened, names);
    if (!stat.isFile() || names !== segments) throw new NotServedError('not a file');
    const start = tail && (await findTail(opened.handle, Number(stat.size), tail));
    const answer = answerFile(this.#request, stat, start, this.#context.wall());
    if (answer.bytes !== undefined) {
      this.#checkSize(answer.bytes.end - answer.bytes.start);
      this.#at = answer.bytes.start;
      this.#end = answer.bytes.end;
    }
    this.#head(answer.status, answer.headers);
    await this.#read();
  }

  /** With and without a `/` at the end: a redirect would name a URL that only the relay knows. */
  async #serveFolder({ path }: OpenedEntry, names: readonly string[]): Promise<void> {
    const { name, config, allow } = this.#context;
    if (!config.listing) {
      const detail = `source "${name}" lists no folders (listing: false)`;
      throw new PullFault('refused-by-policy', 'policy', { detail });
    }
    const entries = await listFolder(path, names, { allow, caller: this.#request.caller });
    const folder = this.#request.path.replace(/\/?$/, '/');
    const text = Buffer.from(`${JSON.stringify({ path: folder, entries })}\n`);
    this.#checkSize(text.length);
    this.#head(200, ['Content-Type', 'application/json', 'Content-Length', String(text.length)]);
    if (this.#request.method !== 'HEAD' && !this.#isOver) this.#reply.body(text);
    if (this.#finish()) this.#reply.end();
  }

  #checkSize(bytes: number): void {
    const { name, config } = this.#context;
    const limit = config.limits.replyBytes;
    if (limit === null || bytes <= limit || this.#request.method === 'HEAD') return;
    const detail = `the reply has ${bytes} bytes; source "${name}" allows ${limit} (limits.replyBytes)`;
    throw new PullFault('reply-too-large', 'upstream', { detail });
  }

  #head(status: number, headers: HeaderList): void {
    if (!this.#isOver) this.#reply.head(status, undefined, headers);
  }

  /** Up to the end that the file had when it was opened, one piece at a time, while there is room. */
  async #read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    while (this.#at < this.#end && !this.#isHeld && !this.#isOver) await this.#readPiece();
    this.#isReading = false;
    if (this.#at === this.#end && this.#finish()) this.#reply.end();
  }

  async #readPiece(): Promise<void> {
    const size = Math.min(pieceBytes, this.#end - this.#at);
    // Not from Node's shared pool: the piece is the writer's from now on.
    const piece = Buffer.allocUnsafeSlow(size);
    const bytesRead = (await this.#handle?.read(piece, 0, size, this.#at))?.bytesRead ?? 0;
    if (this.#isOver) return;
    if (bytesRead === 0) {
      const detail = 'the file became shorter while it was read';
      throw new PullFault('reply-broken', 'stream', { detail });
    }
    this.#at += bytesRead;
    if (!this.#reply.body(piece.subarray(0, bytesRead))) this.#isHeld = true;
  }

  #fail(error: unknown): void {
    if (this.#finish()) this.#reply.fail(fileFault(error, this.#context.name, this.#end > 0));
  }

  /** False where it was over before. The handle waits for a read under way by itself. */
  #finish(): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#handle?.close().catch(() => {});
    return true;
  }
}
