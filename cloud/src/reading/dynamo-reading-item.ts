import { hash } from 'node:crypto';
import * as v from 'valibot';
import {
  type Item,
  jsonOf,
  numberOf,
  numbersOf,
  textOf,
  textsOf,
  toItem,
} from '../registry/dynamo-attribute.ts';
import { itemKeys } from '../registry/dynamo-table.ts';
import type {
  DividedReading,
  PiecePlace,
  ReadingSeries,
  ReadingTime,
  StoredReading,
} from './reading.ts';
import type { LatestTimes, PieceRecord } from './reading-table.ts';

const headerList = v.array(v.string());
const readingFault = v.object({ code: v.string(), detail: v.string() });

/** Times sort as text: digits of the greatest whole number (2^53 − 1). */
const digits = 16;

const devicePartition = itemKeys.reading('', '').pk.S;
const piecePartition = itemKeys.readingPiece('', '').pk.S;

/** Sorts by time; of one time by schedule, whose names hold nothing below `-` and nothing above `z`. */
export function readingSortKey({ at, schedule }: ReadingTime): string {
  return `${timeText(at)}#${schedule}`;
}

export function timeText(at: number): string {
  return String(at).padStart(digits, '0');
}

function pieceSortKey({ index, ...reading }: PiecePlace): string {
  return `${pieceSortPrefix(reading)}${String(index).padStart(4, '0')}`;
}

/** Sorts before all pieces of a reading that came in so many. */
export function pieceSortPrefix({ of, ...time }: DividedReading): string {
  return `${readingSortKey(time)}#${of}#`;
}

export function readingItem(reading: StoredReading): Item {
  const { device, body, isText, ...fields } = reading;
  return {
    ...itemKeys.reading(device, readingSortKey(reading)),
    ...toItem({ ...fields, isText: isText ? 1 : 0 }),
    ...(body !== undefined && { body: { B: body } }),
  };
}

export function readingOfItem(item: Item): StoredReading {
  const body = item['body']?.B;
  return {
    device: textOf(item, 'pk').slice(devicePartition.length),
    schedule: textOf(item, 'schedule'),
    at: numberOf(item, 'at'),
    source: textOf(item, 'source'),
    path: textOf(item, 'path'),
    ms: numberOf(item, 'ms'),
    length: numberOf(item, 'length'),
    isText: numberOf(item, 'isText') === 1,
    objects: numberOf(item, 'objects'),
    receivedAt: numberOf(item, 'receivedAt'),
    expiresAt: numberOf(item, 'expiresAt'),
    ...textsOf(item, 'query'),
    ...numbersOf(item, 'status'),
    ...(item['headers'] && { headers: jsonOf(item, 'headers', headerList) }),
    ...(item['fault'] && { fault: jsonOf(item, 'fault', readingFault) }),
    ...(body !== undefined && { body }),
  };
}

export function pieceItem({ device, isText, ...piece }: PieceRecord): Item {
  const sortKey = pieceSortKey(piece);
  return {
    ...itemKeys.readingPiece(device, sortKey),
    ...toItem({ ...piece, isText: isText ? 1 : 0 }),
  };
}

export function pieceOfItem(item: Item): PieceRecord {
  return {
    device: textOf(item, 'pk').slice(piecePartition.length),
    schedule: textOf(item, 'schedule'),
    at: numberOf(item, 'at'),
    index: numberOf(item, 'index'),
    of: numberOf(item, 'of'),
    length: numberOf(item, 'length'),
    isText: numberOf(item, 'isText') === 1,
    begin: textOf(item, 'begin'),
    end: textOf(item, 'end'),
    expiresAt: numberOf(item, 'expiresAt'),
  };
}

export function latestOfItem(item: Item): LatestTimes | undefined {
  const { newestAt, answerAt } = numbersOf(item, 'newestAt', 'answerAt');
  if (newestAt === undefined) return undefined;
  const newest = { at: newestAt, schedule: textOf(item, 'newestSchedule') };
  if (answerAt === undefined) return { newest };
  return { newest, answer: { at: answerAt, schedule: textOf(item, 'answerSchedule') } };
}

export function seriesHash({ source, path, query }: ReadingSeries): string {
  return hash('sha256', JSON.stringify([source, path, query]), 'base64url');
}

/** In the list's index, entries of a device stand together. */
export function listIdOf(device: string, rest: string): string {
  return `${device}#${rest}`;
}

export function deviceOfListId(id: string): string {
  return id.slice(0, id.indexOf('#'));
}
