import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { AwsWorld } from '../cloud/test/aws/aws-world.ts';
import { Fleet } from './src/fleet.ts';
import { HashOrigin } from './src/hash-origin.ts';

const bound = 10_000;
const callers = 4;

interface Load {
  /** When the last right answer came, by `performance.now()`. */
  lastRight: number;
  right: number;
  readonly others: Set<string>;
}

describe('under load on AWS', () => {
  const origin = new HashOrigin();
  const fleet = new Fleet();
  let aws: AwsWorld;

  beforeAll(async () => {
    const url = await origin.start();
    aws = await AwsWorld.start();
    const allow = [{ paths: ['/**'], methods: ['POST'] }];
    await fleet.grow(aws, 2, { web: { kind: 'http', url, allow } });
  });

  afterAll(async () => {
    await fleet.stop();
    await aws?.stop();
    origin.stop();
  });

  /** Pulls without a pause, several at once, until `over`. */
  async function pullUntil(over: (load: Load) => boolean, device: string, key: string) {
    const load: Load = { lastRight: 0, right: 0, others: new Set() };
    const url = `${aws.url}/devices/${device}/sources/web/x`;
    const caller = async (name: number): Promise<void> => {
      for (let at = 0; !over(load); at += 1) {
        const result = await origin.ask(url, key, `${device}-${name}-${at}`);
        if (result === 'right') {
          load.right += 1;
          load.lastRight = performance.now();
        } else {
          load.others.add(/"code":"([a-z-]+)"/.exec(result)?.[1] ?? result);
        }
      }
    };
    await Promise.all(Array.from({ length: callers }, (_, name) => caller(name)));
    return load;
  }

  test(`the last success of a key that was revoked, and of a device that was removed, comes within ${bound} ms`, async () => {
    const revoked = await aws.addKey();
    const kept = await aws.addKey();
    let revokedAt = Number.POSITIVE_INFINITY;
    // Refused, and for as long after the bound that nothing of what is cached can be left.
    const over = () => performance.now() - revokedAt > bound + 1_000;
    const loads = Promise.all([
      pullUntil(over, 'plant-1', revoked),
      pullUntil(over, 'plant-2', kept),
    ]);
    // Each environment has both in its caches by then.
    await aws.logged('pull', 200);
    const { registry } = aws;
    revokedAt = performance.now();
    await registry.revokeKey(revoked.slice('pwk_'.length, 'pwk_'.length + 6), Date.now());
    await registry.removeDevice('plant-2');
    const [byKey, byDevice] = await loads;
    for (const load of [byKey, byDevice]) {
      expect(load.lastRight - revokedAt).toBeLessThan(bound);
      expect(load.right).toBeGreaterThan(50);
    }
    expect([[...byKey.others], [...byDevice.others]]).toEqual([
      ['caller-unauthenticated'],
      ['not-found'],
    ]);
    const other = await aws.addKey();
    const answer = await origin.ask(`${aws.url}/devices/plant-1/sources/web/x`, other, 'unharmed');
    expect(answer).toBe('right');
  }, 30_000);
});
