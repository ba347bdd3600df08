import type { IncomingHttpHeaders } from 'node:http';

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

/**
 * Whether a request to the engine is a write by someone other than the server that runs it: the operator's
 * commands, through the socket. The server's caches must not outlive it.
 */
export function isForeignWrite(headers: IncomingHttpHeaders, ownWriter: string): boolean {
  const target = headers['x-amz-target'];
  const operation = typeof target === 'string' ? target.slice(target.indexOf('.') + 1) : '';
  return writes.has(operation) && headers[writerHeader] !== ownWriter;
}
