import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AwsWorld } from '../cloud/test/aws/aws-world.ts';
import { type CertificateChain, makeCertificateChain } from './src/certificate-chain.ts';
import { CountedLink } from './src/counted-link.ts';
import { SteppedClock } from './src/stepped-clock.ts';
import { until } from './src/until.ts';

const hour = 3_600_000;

const folder = mkdtempSync(join(tmpdir(), 'pullwire-idle-'));
const clock = new SteppedClock();
let certificate: CertificateChain;
let aws: AwsWorld;
/** To a gateway that resumes TLS, and to one that does not. */
let resuming: CountedLink;
let plain: CountedLink;

/** Agents, gateway and functions live by a clock that the test moves; sockets are as ever. */
beforeAll(async () => {
  certificate = makeCertificateChain(folder);
  aws = await AwsWorld.start({ clock });
  const common = { folder, clock, aws, certificate };
  resuming = await CountedLink.open({ ...common, device: 'plant-1', resumes: true });
  plain = await CountedLink.open({ ...common, device: 'plant-2', resumes: false });
});

afterAll(async () => {
  await resuming?.stop();
  await plain?.stop();
  await aws?.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** Nothing is under way: not at the agents, not between them and the gateway, and not behind it. */
async function settled(): Promise<void> {
  const { gateway } = aws;
  await until(
    () =>
      resuming.isSettled &&
      plain.isSettled &&
      gateway.counts.messages === resuming.sent + plain.sent &&
      gateway.connections.length === resuming.sockets + plain.sockets,
  );
  // A function that is at work would have no time left, with a clock that runs ahead of it.
  await gateway.settled();
}

/** Moves time on, and waits after each timer for what it has set going. */
async function pass(ms: number): Promise<void> {
  await clock.advance(ms, settled);
}

/** What a link costs in a day beside its first dial and its keep-alives, by each link that took another's place. */
function nextLinkBytes(link: CountedLink, firstBytes: number, exchangeBytes: number): number {
  const nextLinks = link.wire.accepted - 1;
  return Math.round((link.cost - firstBytes - link.exchanges * exchangeBytes) / nextLinks);
}

test('an idle link with API Gateway’s bounds costs at most 5 KB an hour, TLS, TCP and IP included', async () => {
  const [first, firstPlain] = [resuming.cost, plain.cost];
  await pass(hour);
  const idle = resuming.cost - first;
  const { intervalMs, exchangeBytes, bytesADay } = resuming.keepAlive;
  const { exchanges } = resuming;
  expect(exchanges).toBeGreaterThanOrEqual(6);
  expect(idle).toBeLessThanOrEqual(5_000);
  expect(resuming.wire.accepted).toBe(1);
  // Nothing is silent for longer than the agent's 9 minutes: the gateway's own 10 end no link.
  expect(intervalMs).toBe(540_000);
  // What the agent says of itself is what is on the wire.
  const exchange = idle / exchanges;
  expect(exchangeBytes).toBe(exchange);
  expect(bytesADay).toBe(Math.ceil(exchange * 24 * (hour / 540_000)));

  // The whole day: with its first link, and with each that took the place of one before the gateway ended it.
  await pass(23 * hour);
  const [average, averagePlain] = [resuming, plain].map(({ cost }) => Math.round(cost / 24));
  const { full, resumed } = resuming.front.handshakes;
  console.info(
    `certificates of ${certificate.bytes} bytes: an idle hour ${idle} bytes, a first link with its full handshake ${first}, ` +
      `one that takes another’s place ${nextLinkBytes(resuming, first, exchange)} (TLS resumed) or ` +
      `${nextLinkBytes(plain, firstPlain, exchange)} (not resumed); an hour of the day ${average} on average with ` +
      `${full} full and ${resumed} resumed handshakes, ${averagePlain} with ${plain.front.handshakes.full} full ones`,
  );
  expect(full).toBe(1);
  // One each 92 minutes.
  expect(resumed).toBe(15);
  for (const link of [resuming, plain]) expect(link.linksLost).toBe(0);
  expect(average).toBeLessThanOrEqual(5_000);
}, 30_000);
