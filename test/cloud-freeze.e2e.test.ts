import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AwsWorld } from '../cloud/test/aws/aws-world.ts';
import { SkippingClock } from '../cloud/test/aws/skipping-clock.ts';
import { prng } from '../cloud/test/gateway/prng.ts';
import { Fleet } from './src/fleet.ts';
import { HashOrigin } from './src/hash-origin.ts';

const minute = 60_000;
const rounds = 1_000;

describe('a function that was frozen', () => {
  const origin = new HashOrigin();
  const fleet = new Fleet();
  const clock = new SkippingClock();
  let aws: AwsWorld;
  let key = '';

  beforeAll(async () => {
    const url = await origin.start();
    aws = await AwsWorld.start({ httpClock: clock, httpEnvironments: 1 });
    key = await aws.addKey();
    const allow = [{ paths: ['/**'], methods: ['POST'] }];
    await fleet.grow(aws, 1, { web: { kind: 'http', url, allow } });
    // All that the test skips is more than the 2 hours for which a link is believed.
    const link = await aws.registry.link('plant-1', 'main');
    if (link === undefined) throw new Error('there is no link');
    const [connectedAt, expiresAt] = [link.connectedAt + 1, 2 ** 33];
    await aws.registry.openLink({ ...link, connectedAt, expiresAt });
    expect(await ask('first')).toBe('right');
  });

  afterAll(async () => {
    await fleet.stop();
    await aws?.stop();
    origin.stop();
  });

  /** With one environment, whoever asks while it ends its last invocation is told 429. */
  async function ask(body: string): Promise<string> {
    await aws.http.settled();
    return origin.ask(`${aws.url}/devices/plant-1/sources/web/x`, key, body);
  }

  /** TCP gone without a word, while nobody reads. */
  async function cutChannel(): Promise<void> {
    await aws.gateway.settled();
    const channel = aws.gateway.connections.findLast(
      (connection) => connection.authorizer?.['role'] === 'channel',
    );
    if (channel !== undefined) aws.gateway.cut(channel.id);
  }

  test('for 15 minutes, its socket dead, answers right, with a new channel and no message twice', async () => {
    clock.skip(15 * minute);
    await cutChannel();
    const before = aws.gateway.counts.snapshot();
    expect(await ask('after-15-minutes')).toBe('right');
    const cost = aws.gateway.counts.since(before);
    expect([cost.opened, cost.keepAlives]).toEqual([1, 1]);
    expect(origin.executed.get('after-15-minutes')).toBe(1);
  });

  test('for a minute, its socket dead, finds out by an echo and has the reply sent again', async () => {
    clock.skip(minute);
    await cutChannel();
    expect(await ask('after-a-minute')).toBe('right');
    expect(origin.executed.get('after-a-minute')).toBe(1);
  });

  test(`${rounds} times for any while, its socket dead or not: no wrong, lost or crossed answer`, async () => {
    const random = prng(7);
    for (let round = 0; round < rounds; round += 1) {
      clock.skip(random() * 20 * minute);
      if (random() < 0.4) await cutChannel();
      const id = `round-${round}`;
      expect([round, await ask(id), origin.executed.get(id)]).toEqual([round, 'right', 1]);
    }
  });
});
