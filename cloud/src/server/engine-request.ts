import type { IncomingHttpHeaders } from 'node:http';
import * as v from 'valibot';
import type { Partitions } from './engine-message.ts';

/** Names the writer: the server's own client sends the value that it agreed with its engine. */
export const writerHeader = 'x-pullwire-writer';

/** The operations that change items or tables, as `X-Amz-Target` names them. */
const writes = new Set([
  'BatchWriteItem',
  'CreateTable',
  'DeleteItem',
  'DeleteTable',
  'PutItem',
  'UpdateItem',
  'UpdateTable',
]);

/** Whether a request to the engine changes anything. */
export function isWrite(headers: IncomingHttpHeaders): boolean {
  const target = headers['x-amz-target'];
  return typeof target === 'string' && writes.has(target.slice(target.indexOf('.') + 1));
}

/**
 * Whether a request to the engine is a write by someone other than the server that runs it: the operator's
 * commands, through the socket. The server's caches must not outlive it.
 */
export function isForeignWrite(headers: IncomingHttpHeaders, ownWriter: string): boolean {
  return isWrite(headers) && headers[writerHeader] !== ownWriter;
}

const keyed = v.object({ pk: v.object({ S: v.string() }) });
const batch = v.array(
  v.object({
    DeleteRequest: v.optional(v.object({ Key: keyed })),
    PutRequest: v.optional(v.object({ Item: keyed })),
  }),
);
const write = v.union([
  v.object({ Key: keyed }),
  v.object({ Item: keyed }),
  v.object({ RequestItems: v.record(v.string(), batch) }),
]);

/** Which partitions a request to write changes (DynamoDB API Reference: PutItem, UpdateItem, DeleteItem, BatchWriteItem). */
export function partitionsOf(body: string): Partitions {
  const { output, success } = v.safeParse(v.pipe(v.string(), v.parseJson(), write), body);
  if (!success) return undefined;
  if ('Key' in output) return [output.Key.pk.S];
  if ('Item' in output) return [output.Item.pk.S];
  const items = Object.values(output.RequestItems)
    .flat()
    .map(({ DeleteRequest, PutRequest }) => DeleteRequest?.Key ?? PutRequest?.Item);
  return items.map((item) => item?.pk.S).filter((pk) => pk !== undefined);
}
