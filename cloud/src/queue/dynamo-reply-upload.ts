import * as v from 'valibot';
import type { AnnouncedPart } from '../pull/object-reply.ts';
import { type Item, jsonOf, numberOf, textOf, toItem } from '../registry/dynamo-attribute.ts';
import type { DynamoTable } from '../registry/dynamo-call.ts';
import { absent } from '../registry/dynamo-condition.ts';
import { putItem } from '../registry/dynamo-put.ts';
import { itemKeys } from '../registry/dynamo-table.ts';
import { readWholePartition } from './dynamo-partition.ts';
import { expiryOf, keptAs } from './dynamo-queue-item.ts';
import type { KeptUpload, UploadEnd } from './kept-upload.ts';

const storedParts = v.array(v.object({ part: v.number(), etag: v.string() }));

export async function addPart(
  table: DynamoTable,
  sentAs: string,
  { part, length, sha256 }: AnnouncedPart,
  keptUntil: number,
): Promise<void> {
  const place = `part#${String(part).padStart(5, '0')}`;
  await add(table, sentAs, place, { part, length, sha256 }, keptUntil);
}

export async function addUploadId(
  table: DynamoTable,
  sentAs: string,
  uploadId: string,
  keptUntil: number,
): Promise<string> {
  if (await add(table, sentAs, 'id', { uploadId }, keptUntil)) return uploadId;
  const kept = await keptUpload(table, sentAs);
  return kept.uploadId ?? uploadId;
}

export async function addUploadEnd(
  table: DynamoTable,
  sentAs: string,
  { parts, length }: UploadEnd,
  keptUntil: number,
): Promise<void> {
  await add(table, sentAs, 'end', { parts, length }, keptUntil);
}

export async function keptUpload(table: DynamoTable, sentAs: string): Promise<KeptUpload> {
  const { pk } = itemKeys.replyUpload(sentAs, '');
  const items = await readWholePartition(table, pk.S, Number.POSITIVE_INFINITY);
  const id = items.find((item) => textOf(item, 'sk') === 'id');
  const end = items.find((item) => textOf(item, 'sk') === 'end');
  return {
    parts: items.filter((item) => textOf(item, 'sk').startsWith('part#')).map(partOf),
    ...(id && { uploadId: textOf(id, 'uploadId') }),
    ...(end && {
      end: { parts: jsonOf(end, 'parts', storedParts), length: numberOf(end, 'length') },
    }),
  };
}

/** A second one of the same place is a repeat: the first stays. */
function add(
  table: DynamoTable,
  sentAs: string,
  place: string,
  values: Record<string, unknown>,
  keptUntil: number,
): Promise<boolean> {
  const item = {
    ...itemKeys.replyUpload(sentAs, place),
    ...toItem({
      ...values,
      keptUntil,
      expiresAt: expiryOf(keptUntil),
      ...keptAs(keptUntil, `${sentAs}#${place}`),
    }),
  };
  return putItem(table, item, absent);
}

function partOf(item: Item): AnnouncedPart {
  return {
    part: numberOf(item, 'part'),
    length: numberOf(item, 'length'),
    sha256: textOf(item, 'sha256'),
  };
}
