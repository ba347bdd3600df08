import type { DynamoTable } from '../registry/dynamo-call.ts';
import {
  noteLatest,
  readLatest,
  readReadingDevices,
  removeOldLatest,
} from './dynamo-latest-readings.ts';
import { closeReading, readOpenReadings } from './dynamo-open-readings.ts';
import { forgetQuota, readQuotaLevel, replaceQuotaLevel } from './dynamo-reading-quota.ts';
import {
  putPiece,
  putReadings,
  readOldPieces,
  readOldReadings,
  readPieces,
  readRange,
  readReading,
  removePieces,
  removeReadings,
} from './dynamo-readings.ts';
import type { QuotaLevel } from './quota-level.ts';
import type { DividedReading, ReadingSeries, ReadingTime, StoredReading } from './reading.ts';
import type { LatestNote, PieceRecord, RangeRequest, ReadingTable } from './reading-table.ts';

/** Readings in the registry's own table (`DynamoRegistry`), whose schema is checked there. */
export class DynamoReadingTable implements ReadingTable {
  readonly #table: DynamoTable;

  constructor({ client, name }: DynamoTable) {
    this.#table = { client, name };
  }

  put(readings: readonly StoredReading[]) {
    return putReadings(this.#table, readings);
  }

  reading(device: string, time: ReadingTime) {
    return readReading(this.#table, device, time);
  }

  range(request: RangeRequest) {
    return readRange(this.#table, request);
  }

  putPiece(piece: PieceRecord, openUntil: number) {
    return putPiece(this.#table, piece, openUntil);
  }

  pieces(device: string, of: DividedReading) {
    return readPieces(this.#table, device, of);
  }

  closeReading(device: string, reading: DividedReading) {
    return closeReading(this.#table, device, reading);
  }

  noteLatest(note: LatestNote) {
    return noteLatest(this.#table, note);
  }

  latest(device: string, series: ReadingSeries) {
    return readLatest(this.#table, device, series);
  }

  quotaLevel(device: string) {
    return readQuotaLevel(this.#table, device);
  }

  replaceQuotaLevel(device: string, before: QuotaLevel | undefined, level: QuotaLevel) {
    return replaceQuotaLevel(this.#table, device, before, level);
  }

  devices(after?: string) {
    return readReadingDevices(this.#table, after);
  }

  oldReadings(device: string, before: number, limit: number) {
    return readOldReadings(this.#table, device, before, limit);
  }

  oldPieces(device: string, before: number, limit: number) {
    return readOldPieces(this.#table, device, before, limit);
  }

  openReadings(device: string, before: number, limit: number) {
    return readOpenReadings(this.#table, device, before, limit);
  }

  remove(readings: readonly StoredReading[]) {
    return removeReadings(this.#table, readings);
  }

  removePieces(pieces: readonly PieceRecord[]) {
    return removePieces(this.#table, pieces);
  }

  forgetQuota(device: string) {
    return forgetQuota(this.#table, device);
  }

  removeOldLatest(device: string, before: number) {
    return removeOldLatest(this.#table, device, before);
  }
}
