import type { Clock, Held, Reading, Stored, Timer } from '@pullwire/shared';
import type { Logger } from 'pino';
import type { SpoolReadLimit, SpoolRow } from '../spool/spool-reading.ts';
import { LargeReading } from './large-reading.ts';
import { batchOf, messageEntries } from './reading-batch.ts';
import { type HoldSnapshot, ReadingHold } from './reading-hold.ts';
import type { ReadingLink, ReadingReceiver } from './reading-link.ts';
import { ReadingPace } from './reading-pace.ts';

/** What the sender needs of the spool. */
export interface ReadingStore {
  onAdded(added: () => void): void;
  read(after: number, limit: SpoolReadLimit): Promise<readonly SpoolRow[]>;
  remove(ids: readonly number[]): Promise<void>;
}

export interface ReadingSenderOptions {
  readonly store: ReadingStore;
  readonly clock: Clock;
  readonly logger: Logger;
}

export interface ReadingCounters {
  /** Stored by the relay. */
  sent: number;
  /** The relay will never take them. */
  refused: number;
  batches: number;
  /** Batches that were sent again after a doubt. */
  again: number;
  /** Batches that the relay wanted later. */
  held: number;
}

/** A batch on its way. */
interface Unanswered {
  readonly message: Reading;
  readonly link: ReadingLink;
  /** Whole ones; none for a piece. */
  readonly rows: readonly SpoolRow[];
  readonly piece: { readonly of: LargeReading; readonly index: number } | undefined;
  sentAt: number;
  due: Timer;
}

/** Without a `stored` in this time a batch is sent again (PROTOCOL.md, "Features", `readings`). */
const answerMs = 30_000;
/** Read ahead, so that the disk does not pace the link. */
const readAhead: SpoolReadLimit = { bytes: 98_304, rows: 256 };

/** Sends what waits in the spool over the link that is there, and removes what the relay says it has stored. */
export class ReadingSender implements ReadingReceiver {
  readonly #options: ReadingSenderOptions;
  readonly #pace = new ReadingPace();
  readonly #hold: ReadingHold;
  readonly #unanswered = new Map<number, Unanswered>();
  /** Read and not under way, the oldest first. */
  #rows: SpoolRow[] = [];
  #readTo = 0;
  #isReading = false;
  /** There may be more in the spool. */
  #mayBeMore = true;
  #large: LargeReading | undefined;
  #link: ReadingLink | undefined;
  #lastBatch = 0;
  #lastSentAt = Number.NEGATIVE_INFINITY;
  #gap: Timer | undefined;
  #stopped = false;
  readonly counters: ReadingCounters = { sent: 0, refused: 0, batches: 0, again: 0, held: 0 };

  constructor(options: ReadingSenderOptions) {
    this.#options = options;
    this.#hold = new ReadingHold(options);
    options.store.onAdded(() => this.look());
  }

  /** Batches on their way. */
  get unanswered(): number {
    return this.#unanswered.size;
  }

  /** Undefined while the relay takes readings. */
  get hold(): HoldSnapshot | undefined {
    return this.#hold.now;
  }

  /** There may be something in the store. */
  look(): void {
    this.#mayBeMore = true;
    this.#pump();
  }

  opened(link: ReadingLink): void {
    if (this.#link === link) return;
    this.#link = link;
    this.#pace.reset();
    this.#hold.end();
    this.#giveUpLarge();
    this.#pump();
  }

  room(link: ReadingLink): void {
    if (link === this.#link) this.#pump();
  }

  lost(link: ReadingLink): void {
    if (this.#link === link) this.#link = undefined;
    for (const [batch, waiting] of this.#unanswered) {
      if (waiting.link === link) this.#doubt(batch, waiting);
    }
    this.#pump();
  }

  stored({ batch, refused = [] }: Stored): void {
    const waiting = this.#unanswered.get(batch);
    if (waiting === undefined) return;
    this.#unanswered.delete(batch);
    waiting.due.cancel();
    this.#pace.answered(this.#options.clock.monotonic() - waiting.sentAt);
    for (const { code, detail, index } of refused) {
      const entry = waiting.message.readings[index];
      const which = { schedule: entry?.schedule, at: entry?.at, code, detail };
      this.#options.logger.warn(which, 'the relay refused a reading for good');
    }
    const refusals = new Set(refused.map(({ index }) => index)).size;
    if (waiting.piece !== undefined) this.#storedPiece(waiting.piece, refusals > 0);
    else this.#done(waiting.rows, Math.min(refusals, waiting.rows.length));
    this.#pump();
  }

  /** The batch goes first when the time has passed, or over another link. */
  held({ batch, ...held }: Held): void {
    const waiting = this.#unanswered.get(batch);
    if (waiting === undefined) return;
    this.counters.held += 1;
    if (waiting.link === this.#link) this.#hold.begin(held, () => this.#pump());
    this.#takeBack(batch, waiting);
    this.#pump();
  }

  /** Sends nothing any more; what the relay still says of batches on their way counts. */
  stop(): void {
    this.#stopped = true;
    this.#gap?.cancel();
    this.#hold.end();
    for (const { due } of this.#unanswered.values()) due.cancel();
  }

  #storedPiece({ of, index }: NonNullable<Unanswered['piece']>, isRefused: boolean): void {
    // Of another cut, made for a link that is gone.
    if (of !== this.#large) return;
    if (!isRefused && !of.stored(index)) return;
    this.#large = undefined;
    this.#forgetPieces(of);
    this.#done([of.row], isRefused ? 1 : 0);
  }

  #done(rows: readonly SpoolRow[], refused: number): void {
    this.counters.sent += rows.length - refused;
    this.counters.refused += refused;
    void this.#options.store.remove(rows.map(({ id }) => id));
  }

  #pump(): void {
    while (this.#link !== undefined && !this.#waits) {
      const now = this.#options.clock.monotonic();
      const { batches, bytes, gapMs } = this.#pace.allows(now - this.#link.pulledAt);
      if (this.#unanswered.size >= batches) return;
      if (this.#large === undefined && this.#rows.length === 0) return this.#readMore();
      const waitMs = this.#lastSentAt + gapMs - now;
      if (waitMs > 0) return this.#pauseFor(waitMs);
      if (!this.#sendNext(this.#link, bytes)) return;
    }
  }

  get #waits(): boolean {
    return this.#stopped || this.#gap !== undefined || this.#hold.now !== undefined;
  }

  #pauseFor(ms: number): void {
    this.#gap = this.#options.clock.after(ms, () => {
      this.#gap = undefined;
      this.#pump();
    });
  }

  /** False where nothing can go now. */
  #sendNext(link: ReadingLink, bytes: number): boolean {
    if (this.#large !== undefined) return this.#sendPiece(link, this.#large);
    const rows = batchOf(this.#rows, link, bytes);
    if (rows.length === 0) return this.#cutFirst(link);
    const message = this.#message(
      messageEntries(rows),
      rows.map(({ body }) => body),
    );
    if (!link.reading(message)) return false;
    this.#rows.splice(0, rows.length);
    this.#sent({ message, link, rows, piece: undefined });
    return true;
  }

  #sendPiece(link: ReadingLink, large: LargeReading): boolean {
    const piece = large.next();
    if (piece === undefined) return false;
    const message = this.#message([piece.entry], [piece.body]);
    if (!link.reading(message)) return false;
    large.sent();
    this.#sent({ message, link, rows: [], piece: { of: large, index: piece.index } });
    return true;
  }

  /** The first row needs messages of its own. */
  #cutFirst(link: ReadingLink): boolean {
    const row = this.#rows.shift();
    if (row === undefined) return false;
    this.#large = LargeReading.cut(row, link);
    if (this.#large !== undefined) return true;
    const { schedule, at } = row.entry;
    this.#options.logger.warn(
      { schedule, at, bytes: row.body.length, limits: link.limits },
      'a reading was dropped: it does not fit into the messages that the relay takes',
    );
    this.#done([row], 1);
    return true;
  }

  #message(readings: Reading['readings'], bodies: readonly Uint8Array[]): Reading {
    this.#lastBatch += 1;
    const body = bodies.length === 1 ? (bodies[0] as Uint8Array) : Buffer.concat(bodies);
    const whole: Reading = { action: 'reading', batch: this.#lastBatch, readings };
    return body.length === 0 ? whole : { ...whole, body };
  }

  #sent(sent: Omit<Unanswered, 'sentAt' | 'due'>): void {
    const { batch } = sent.message;
    const { clock } = this.#options;
    const due = clock.after(answerMs, () => this.#late(batch));
    this.#unanswered.set(batch, { ...sent, sentAt: clock.monotonic(), due });
    this.counters.batches += 1;
    this.#lastSentAt = clock.monotonic();
  }

  /** No `stored` in time: what was sent counts for nothing, and goes again. */
  #late(batch: number): void {
    const waiting = this.#unanswered.get(batch);
    if (waiting === undefined) return;
    this.#pace.answered(answerMs);
    this.#doubt(batch, waiting);
    this.#pump();
  }

  #doubt(batch: number, waiting: Unanswered): void {
    this.counters.again += 1;
    this.#takeBack(batch, waiting);
  }

  #takeBack(batch: number, { rows, piece, due }: Unanswered): void {
    due.cancel();
    this.#unanswered.delete(batch);
    piece?.of.doubtful(piece.index);
    this.#putBack(rows);
  }

  /** From the first piece on, as the next link's messages are large. */
  #giveUpLarge(): void {
    if (this.#large === undefined) return;
    const { row } = this.#large;
    this.#forgetPieces(this.#large);
    this.#large = undefined;
    this.#putBack([row]);
  }

  #forgetPieces(of: LargeReading): void {
    for (const [batch, { piece, due }] of this.#unanswered) {
      if (piece?.of !== of) continue;
      due.cancel();
      this.#unanswered.delete(batch);
    }
  }

  #putBack(rows: readonly SpoolRow[]): void {
    if (rows.length > 0) this.#rows = [...rows, ...this.#rows].sort((a, b) => a.id - b.id);
  }

  #readMore(): void {
    if (this.#isReading || !this.#mayBeMore) return;
    this.#isReading = true;
    this.#mayBeMore = false;
    void this.#options.store.read(this.#readTo, readAhead).then((rows) => {
      this.#isReading = false;
      this.#readTo = rows.at(-1)?.id ?? this.#readTo;
      if (rows.length > 0) this.#mayBeMore = true;
      this.#putBack(rows);
      if (rows.length > 0 || this.#mayBeMore) this.#pump();
    });
  }
}
