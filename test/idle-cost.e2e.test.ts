import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Agent } from '../agent/src/agent.ts';
import { AwsWorld } from '../cloud/test/aws/aws-world.ts';
import { agentInProcess } from './src/agent-in-process.ts';
import { makeCertificate } from './src/certificate.ts';
import { command } from './src/program.ts';
import { SteppedClock } from './src/stepped-clock.ts';
import { TcpRelay } from './src/tcp-relay.ts';
import { TlsFront } from './src/tls-front.ts';
import { until } from './src/until.ts';

const hour = 3_600_000;
/** Of IPv4 and TCP with time stamps; question, answer, acknowledgement. */
const headerBytes = 3 * 52;

const folder = mkdtempSync(join(tmpdir(), 'pullwire-idle-'));
const clock = new SteppedClock();
let aws: AwsWorld;
let front: TlsFront;
let wire: TcpRelay;
let agent: Agent;

/** The agent runs on a clock that the test moves; gateway, functions and sockets are as ever. */
beforeAll(async () => {
  aws = await AwsWorld.start();
  const gateway = new URL(aws.linkUrl);
  const certificate = makeCertificate(folder, 'gateway');
  front = await TlsFront.start(certificate, Number(gateway.port));
  wire = await TcpRelay.start(front.port);
  const keyFile = join(folder, 'device.key');
  const { stdout } = await command('agent', ['keygen', '--out', keyFile]);
  await aws.addDevice('plant-1', stdout.trim());
  agent = agentInProcess(
    folder,
    {
      device: 'plant-1',
      relay: `wss://127.0.0.1:${wire.port}${gateway.pathname}`,
      audience: gateway.host,
      ca: certificate.cert,
      keyFile,
      sources: {},
    },
    clock,
  );
  await agent.start();
  await until(() => agent.snapshot().link?.state === 'open');
});

afterAll(async () => {
  await agent?.stop();
  await wire?.stop();
  front?.stop();
  await aws?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const bytes = (): number => wire.up.passed + wire.down.passed;

/** On an idle link each frame has one for an answer: hello welcome, keep-alive kept-alive. */
const answered = (): Promise<unknown> =>
  until(() => {
    const { framesIn, framesOut } = agent.snapshot().link?.counters ?? {
      framesIn: 0,
      framesOut: 1,
    };
    return framesIn === framesOut;
  });

async function idle(ms: number): Promise<{ wireBytes: number; exchanges: number }> {
  const before = { bytes: bytes(), frames: agent.snapshot().link?.counters.framesOut ?? 0 };
  await clock.advance(ms, 5_000, answered);
  const exchanges = (agent.snapshot().link?.counters.framesOut ?? 0) - before.frames;
  return { wireBytes: bytes() - before.bytes + exchanges * headerBytes, exchanges };
}

test('an idle link with API Gateway’s bounds costs at most 5 KB an hour, TLS, TCP and IP included', async () => {
  const dialled = bytes();
  const { wireBytes, exchanges } = await idle(hour);
  const { intervalMs, exchangeBytes, bytesADay } = agent.snapshot().link?.keepAlive ?? {};
  expect(exchanges).toBeGreaterThanOrEqual(6);
  expect(wireBytes).toBeLessThanOrEqual(5_000);
  // Nothing is silent for longer than the agent's 9 minutes: the gateway's own 10 end no link.
  expect(intervalMs).toBe(540_000);
  expect(wire.accepted).toBe(1);
  // What the agent says of itself is what is on the wire.
  expect(exchangeBytes).toBe(wireBytes / exchanges);
  expect(bytesADay).toBe(Math.ceil((wireBytes / exchanges) * 24 * (hour / 540_000)));

  // In its second hour the link is replaced, since the gateway ends it after two: that is a dial, and not idling.
  const second = await idle(hour);
  console.info(
    `idle link: ${wireBytes} bytes in its first hour, ${exchanges} keep-alives, dialled for ${dialled} bytes before it; ` +
      `${second.wireBytes} in the second, with ${wire.accepted - 1} dials that replace it`,
  );
});
