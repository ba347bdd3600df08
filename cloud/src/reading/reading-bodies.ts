import { hash } from 'node:crypto';
import { objectPrefixes } from '../object/object-prefix.ts';
import type { ObjectStore } from '../object/object-store.ts';
import type { PiecePlace, ReadingTime } from './reading.ts';

/** Where bodies lie that are too large for the table: a bucket, or a folder of the one-box server. */
export type ReadingBodies = Pick<ObjectStore, 'put' | 'open' | 'remove'>;

/** Where a whole body lies. The same reading has the same place, however often it comes. */
export function bodyKey(device: string, time: ReadingTime): string {
  return `${placeOf(device, time)}.body`;
}

export function pieceKey(device: string, { index, of, ...time }: PiecePlace): string {
  return `${placeOf(device, time)}.${of}.${index}`;
}

/** A device's id may hold what no key of an object may: its hash stands for it. */
function placeOf(device: string, { at, schedule }: ReadingTime): string {
  return `${objectPrefixes.readings}${hash('sha256', device, 'hex')}/${at}-${schedule}`;
}
