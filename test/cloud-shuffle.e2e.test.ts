import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AwsWorld } from '../cloud/test/aws/aws-world.ts';
import { Fleet } from './src/fleet.ts';
import { HashOrigin } from './src/hash-origin.ts';

const long = process.env['PULLWIRE_LONG'] === '1';
const seeds = Array.from({ length: long ? 20 : 4 }, (_, at) => at + 1);
const devices = 50;
const pulls = 200;

describe.each(seeds)('shuffled, doubled and delayed both ways, seed %i', (seed) => {
  const origin = new HashOrigin();
  const fleet = new Fleet();
  let aws: AwsWorld;
  let key = '';

  beforeAll(async () => {
    const url = await origin.start();
    aws = await AwsWorld.start({ seed });
    key = await aws.addKey();
    const allow = [{ paths: ['/**'], methods: ['POST'] }];
    await fleet.grow(aws, devices, { web: { kind: 'http', url, allow } });
  });

  afterAll(async () => {
    await fleet.stop();
    await aws?.stop();
    origin.stop();
  });

  function pullAll(count: number, name: string): Promise<string[]> {
    const one = (at: number) => {
      const body = `${seed}-${name}-${at} ${'z'.repeat((at * 997) % 50_000)}`;
      const url = `${aws.url}/devices/plant-${1 + (at % devices)}/sources/web/x`;
      return origin.ask(url, key, body);
    };
    return Promise.all(Array.from({ length: count }, (_, at) => one(at)));
  }

  test(`${pulls} pulls at once over ${devices} agents: every body right, every POST executed once`, async () => {
    // Environments dial their channels in waves: 200 cold ones at once would measure these two cores.
    for (const wave of [50, 100]) await pullAll(wave, `warm-${wave}`);
    origin.executed.clear();
    const results = await pullAll(pulls, 'run');
    expect(results.filter((result) => result !== 'right')).toEqual([]);
    expect([...origin.executed.values()]).toEqual(Array(pulls).fill(1));
    const dropped = aws.log.filter((line) => line['msg'] === 'reply frame dropped');
    expect(dropped.filter((line) => line['reason'] !== 'late')).toEqual([]);
  });
});
