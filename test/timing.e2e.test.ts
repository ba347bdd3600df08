import { afterAll, beforeAll, expect, test } from 'vitest';
import { AttackStage } from './src/attack-stage.ts';

const rounds = 200;

let stage: AttackStage;

beforeAll(async () => {
  stage = await AttackStage.start('one box');
});

afterAll(async () => {
  await stage?.stop();
});

const median = (values: number[]): number =>
  values.toSorted((a, b) => a - b)[values.length >> 1] ?? 0;

/** The median of each of these, taken in turn, in milliseconds. */
async function compare(tries: Readonly<Record<string, () => Promise<unknown>>>) {
  const times = new Map(Object.keys(tries).map((name) => [name, [] as number[]]));
  for (let round = -20; round < rounds; round += 1) {
    for (const [name, attempt] of Object.entries(tries)) {
      const startedAt = performance.now();
      await attempt();
      if (round >= 0) times.get(name)?.push(performance.now() - startedAt);
    }
  }
  const medians = [...times].map(([name, values]) => [name, median(values)] as const);
  process.stdout.write(
    `${medians.map(([name, ms]) => `${name} ${ms.toFixed(2)} ms`).join(', ')}\n`,
  );
  return medians.map(([, ms]) => ms);
}

const random = (): string =>
  Buffer.from(crypto.getRandomValues(new Uint8Array(32))).toString('base64url');

test('an unknown key, and a wrong one of a known id, take the same time', async () => {
  const ask = async (key: string): Promise<void> => {
    const answer = await stage.ask('/devices', { headers: { 'Pullwire-Key': key } });
    expect(answer.status).toBe(401);
    await answer.arrayBuffer();
  };
  const known = stage.fill('{keyId:full}');
  const medians = await compare({
    'an unknown key': () => ask(`pwk_aaaaaa_${random()}`),
    'a wrong key of a known id': () => ask(`${known}_${random()}`),
  });
  expect(Math.max(...medians) / Math.min(...medians)).toBeLessThan(1.4);
});

test('a handshake for an unknown device, a known one and a revoked one, by a stranger’s key, take the same time', async () => {
  const dial = async (device: string): Promise<void> => {
    const token = stage.token({ key: 'stranger', claims: { sub: device } });
    expect((await (await stage.dial({ token })).closed).status).toBe(401);
  };
  const medians = await compare({
    'an unknown device': () => dial('nobody'),
    'a known device': () => dial('plantx'),
    'a revoked device': () => dial('revoked'),
  });
  expect(Math.max(...medians) / Math.min(...medians)).toBeLessThan(1.4);
});
