import type { Page } from '../registry/registry.ts';
import type { QuotaLevel } from './quota-level.ts';
import type {
  DividedReading,
  PiecePlace,
  ReadingSeries,
  ReadingTime,
  StoredReading,
} from './reading.ts';
import type { TextEdges } from './text-edges.ts';

/** A piece whose bytes are stored. */
export interface PieceRecord extends PiecePlace, TextEdges {
  readonly device: string;
  /** Bytes. */
  readonly length: number;
  /** Epoch *seconds*. */
  readonly expiresAt: number;
}

export interface LatestTimes {
  readonly newest: ReadingTime;
  /** The newest that is an answer (`isAnswer`). */
  readonly answer?: ReadingTime;
}

/** What one batch says of a series. */
export interface LatestNote {
  readonly device: string;
  readonly series: ReadingSeries;
  readonly newest: StoredReading;
  readonly answer: StoredReading | undefined;
}

export interface RangeRequest {
  readonly device: string;
  /** Epoch milliseconds; that very one is in. */
  readonly since: number;
  /** Epoch milliseconds; that very one is out. */
  readonly until: number;
  readonly source?: string;
  readonly path?: string;
  /** Goes on behind this one, which need not be there any more. */
  readonly after?: ReadingTime;
  /** Readings that are looked at, before any that are not of this source or path are left out. */
  readonly limit: number;
}

export interface RangePage {
  /** In the order of their times; expired ones too. */
  readonly items: readonly StoredReading[];
  /** Absent at the end. A page may be empty and yet not be the last. */
  readonly next?: ReadingTime;
}

/**
 * Readings and what is known of them, but for bodies that are too large for it. Reads see every write that was answered
 * before, `devices` but for a moment on AWS. Every method may reject with `RegistryError`.
 */
export interface ReadingTable {
  /** Each is one item however often it is put; none may be there twice in one call. */
  put(readings: readonly StoredReading[]): Promise<void>;
  reading(device: string, time: ReadingTime): Promise<StoredReading | undefined>;
  range(request: RangeRequest): Promise<RangePage>;
  /** The reading is open from then on. `openUntil`: epoch milliseconds; nobody waits for the others after that. */
  putPiece(piece: PieceRecord, openUntil: number): Promise<void>;
  /** Those that came of a reading in so many pieces, in their order. */
  pieces(device: string, of: DividedReading): Promise<readonly PieceRecord[]>;
  /** It is whole, or given up: not open any more. */
  closeReading(device: string, reading: DividedReading): Promise<void>;
  /** Changes nothing where a newer one is noted. */
  noteLatest(note: LatestNote): Promise<void>;
  latest(device: string, series: ReadingSeries): Promise<LatestTimes | undefined>;

  /** What the device has used of its quota; undefined: nothing that is known. */
  quotaLevel(device: string): Promise<QuotaLevel | undefined>;
  /** False where it is not `before` any more: then nothing is changed. */
  replaceQuotaLevel(
    device: string,
    before: QuotaLevel | undefined,
    level: QuotaLevel,
  ): Promise<boolean>;

  /** Pages of devices that have readings or pieces of them; one may come more than once. */
  devices(after?: string): Promise<Page<string>>;
  /** The oldest readings that were due before a time (epoch milliseconds). */
  oldReadings(device: string, before: number, limit: number): Promise<readonly StoredReading[]>;
  oldPieces(device: string, before: number, limit: number): Promise<readonly PieceRecord[]>;
  /** Open readings whose time was over before this one (epoch milliseconds). */
  openReadings(device: string, before: number, limit: number): Promise<readonly DividedReading[]>;
  remove(readings: readonly StoredReading[]): Promise<void>;
  removePieces(pieces: readonly PieceRecord[]): Promise<void>;
  /** Removes what says which were the latest of the device's series, where all of them were due before a time. */
  removeOldLatest(device: string, before: number): Promise<void>;
  /** Removes what the device has used of its quota. */
  forgetQuota(device: string): Promise<void>;
}
