import type { DynamoTable } from '../registry/dynamo-call.ts';
import { absent } from '../registry/dynamo-condition.ts';
import { putItem } from '../registry/dynamo-put.ts';
import { itemKeys } from '../registry/dynamo-table.ts';
import { readWholePartition } from './dynamo-partition.ts';
import { frameItem, frameOfItem } from './dynamo-queue-item.ts';
import type { ReplyFrame } from './reply-frame.ts';

/** A second one of the same number is a repeat: the first stays. */
export async function addFrame(
  table: DynamoTable,
  sentAs: string,
  frame: ReplyFrame,
  keptUntil: number,
): Promise<void> {
  await putItem(table, frameItem(sentAs, frame, keptUntil), absent);
}

export async function readFrames(
  table: DynamoTable,
  sentAs: string,
): Promise<readonly ReplyFrame[]> {
  const { pk } = itemKeys.replyFrame(sentAs, 0);
  const items = await readWholePartition(table, pk.S, Number.POSITIVE_INFINITY);
  return items.map((item) => frameOfItem(item, sentAs));
}
