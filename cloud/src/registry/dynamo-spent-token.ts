import { hash } from 'node:crypto';
import { toItem } from './dynamo-attribute.ts';
import type { DynamoTable } from './dynamo-call.ts';
import { absent } from './dynamo-condition.ts';
import { putItem } from './dynamo-put.ts';
import { itemKeys } from './dynamo-table.ts';

/** How long a token is remembered after it ran out (seconds): more than any leeway that relays give to clocks. */
const keepSeconds = 3_600;

/**
 * One write. Where its answer was lost and it is sent again, it says false, and the agent comes with another token:
 * a link too few is the safe side. Each device has a partition of its own, so that one that dials without end
 * throttles nobody else.
 */
export function spendToken(
  table: DynamoTable,
  device: string,
  tokenId: string,
  expiresAt: number,
): Promise<boolean> {
  const key = itemKeys.spentToken(device, hash('sha256', tokenId, 'base64url'));
  const item = { ...key, ...toItem({ expiresAt: expiresAt + keepSeconds }) };
  return putItem(table, item, absent);
}
