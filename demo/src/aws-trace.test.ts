import { expect, test } from 'vitest';
import type { Passage } from '../../cloud/test/ministack/tap.ts';
import { traceLines } from './aws-trace.ts';

const request = (
  startedAt: number,
  by: string | undefined,
  path: string,
  operation?: string,
): Passage => ({
  kind: 'request',
  method: 'POST',
  path,
  operation,
  by,
  startedAt,
  endedAt: startedAt + 2,
  status: 200,
});
const bytes = (at: number, socket: 'agent' | 'channel', to: 'client' | 'gateway'): Passage => ({
  kind: 'bytes',
  socket,
  to,
  at,
  bytes: 500,
});

test('a trace names each hop of a pull in its order, whatever order it was told in', () => {
  const post = '/_aws/execute-api/api/live/@connections/id';
  const lines = traceLines({
    startedAt: 1_000,
    endedAt: 1_050,
    status: 200,
    passages: [
      request(1_001, 'pullwire-http', '/', 'DynamoDB_20120810.GetItem'),
      request(1_005, undefined, '/', 'AmazonSSM.GetParameter'),
      { kind: 'handshake', socket: 'channel', startedAt: 1_010, endedAt: 1_018, status: 101 },
      bytes(1_021, 'agent', 'client'),
      request(1_020, 'pullwire-http', post),
      bytes(1_025, 'agent', 'gateway'),
      bytes(1_040, 'channel', 'client'),
      request(1_038, 'pullwire-message', post),
      request(1_000, undefined, '/_aws/lambda-url/id/devices'),
    ],
  });
  expect(lines).toEqual([
    '       0.0 ms  caller → function URL: http',
    '       1.0 ms  http → DynamoDB GetItem  (2.0 ms)',
    '       5.0 ms  a function → AmazonSSM GetParameter  (2.0 ms)',
    '      10.0 ms  http, for its reply channel, dials the gateway: 101  (8.0 ms)',
    '      20.0 ms  http → gateway: POST @connections, 200  (2.0 ms)',
    '      21.0 ms  gateway → agent: 500 bytes',
    '      25.0 ms  agent → gateway: 500 bytes',
    '      38.0 ms  message → gateway: POST @connections, 200  (2.0 ms)',
    '      40.0 ms  gateway → reply channel of http: 500 bytes',
    '      50.0 ms  http → caller: 200',
  ]);
});
