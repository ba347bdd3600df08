import type { Draft, Envelope } from './envelope.ts';
import {
  checkBudget,
  checkCode,
  checkCount,
  checkList,
  checkMilliseconds,
  checkObject,
  checkPattern,
  checkText,
  type Fields,
} from './field.ts';
import { checkHeaders, checkPath, checkQuery, checkStatus } from './head-fields.ts';
import { detailLimit, readingLimit } from './limit.ts';
import type {
  Held,
  Reading,
  ReadingEntry,
  ReadingFault,
  RefusedReading,
  Stored,
} from './message.ts';
import { scheduleNamePattern, sourcePattern } from './name.ts';
import { refuse } from './wire-error.ts';

/** Also for what goes out: `Reading` is checked with the bytes that it brings. */
export function readReading({ body, fields }: Pick<Envelope, 'body' | 'fields'>): Reading {
  const entries = checkList(fields.readings, 'readings', readingLimit.entries).map(readEntry);
  if (entries.length === 0) refuse('readings', 'at least one');
  if (entries.length > 1 && entries.some(({ piece }) => piece !== undefined)) {
    refuse('readings', 'one, where it comes in pieces');
  }
  const bytes = entries.reduce((sum, { length }) => sum + length, 0);
  if (bytes !== (body?.length ?? 0)) refuse('readings', 'lengths that add up to the body');
  return {
    action: 'reading',
    batch: checkCount(fields.batch, 'batch'),
    readings: entries,
    ...(body !== undefined && body.length > 0 && { body }),
  };
}

export function readStored(fields: Fields): Stored {
  const stored: Draft<Stored> = { action: 'stored', batch: checkCount(fields.batch, 'batch') };
  if (fields.refused !== undefined) {
    stored.refused = checkList(fields.refused, 'refused', readingLimit.entries).map(readRefused);
  }
  return stored;
}

export function readHeld(fields: Fields): Held {
  return {
    action: 'held',
    batch: checkCount(fields.batch, 'batch'),
    retryAfterMs: checkBudget(fields.retryAfterMs, 'retryAfterMs'),
    ...readFault(fields, 'held'),
  };
}

function readEntry(value: unknown, index: number): ReadingEntry {
  const field = `readings[${index}]`;
  const fields = checkObject(value, field);
  const { schedule, at, source, path, query, ms, status, headers, fault, length, piece } = fields;
  const entry: Draft<ReadingEntry> = {
    schedule: checkPattern(schedule, `${field}.schedule`, scheduleNamePattern),
    at: checkCount(at, `${field}.at`),
    source: checkPattern(source, `${field}.source`, sourcePattern),
    path: checkPath(path),
    ms: checkMilliseconds(ms, `${field}.ms`),
    length: checkCount(length, `${field}.length`),
  };
  if (query !== undefined) entry.query = checkQuery(query);
  if (piece !== undefined) entry.piece = readPiece(piece, `${field}.piece`);
  if (fault !== undefined) entry.fault = readFault(fault, `${field}.fault`);
  if (status !== undefined) entry.status = checkStatus(status);
  if (headers !== undefined) entry.headers = checkHeaders(headers, `${field}.headers`);
  checkOutcome(entry, field);
  return entry;
}

/** An answer has a status and headers, a fault neither nor a body; both are said with the last piece. */
function checkOutcome(
  { piece, fault, status, headers, length }: ReadingEntry,
  field: string,
): void {
  const isLast = piece === undefined || piece.index === piece.of - 1;
  const isAnswer = status !== undefined && headers !== undefined && fault === undefined;
  const isFault =
    fault !== undefined && status === undefined && headers === undefined && length === 0;
  if (isLast ? !isAnswer && !isFault : status !== undefined || headers !== undefined || isFault) {
    refuse(field, 'status and headers, or a fault without a body, with its last piece');
  }
}

function readPiece(value: unknown, field: string): { index: number; of: number } {
  const fields = checkObject(value, field);
  const [index, of] = [checkCount(fields.index, field), checkCount(fields.of, field)];
  if (of < 2 || of > readingLimit.pieces || index >= of) {
    refuse(field, `an index below the number of pieces, which is from 2 to ${readingLimit.pieces}`);
  }
  return { index, of };
}

function readFault(value: unknown, field: string): ReadingFault {
  const { code, detail } = checkObject(value, field);
  return { code: checkCode(code), detail: checkText(detail, `${field}.detail`, detailLimit) };
}

function readRefused(value: unknown, index: number): RefusedReading {
  const field = `refused[${index}]`;
  const fields = checkObject(value, field);
  return { index: checkCount(fields.index, `${field}.index`), ...readFault(value, field) };
}
