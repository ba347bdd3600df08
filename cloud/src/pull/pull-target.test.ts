import { expect, test } from 'vitest';
import { FakeTarget } from '../../test/fake-target.ts';
import { chooseTarget } from './pull-target.ts';

const never = (): number => {
  throw new Error('there was nothing to choose');
};

function links(...loads: readonly number[]): FakeTarget[] {
  return loads.map((load, at) => {
    const target = new FakeTarget();
    target.connectionId = `c${at}`;
    for (let pull = 0; pull < load; pull += 1) target.begin({ pullId: `${pull}` } as never);
    return target;
  });
}

const chosen = (targets: FakeTarget[], random: () => number, not?: string) =>
  chooseTarget(targets, 'metrics', random, not)?.connection.connectionId;

test('a pull goes to the least loaded link, without chance where there is one', () => {
  expect(chosen(links(3, 1, 2), never)).toBe('c1');
  expect(chosen(links(7), never)).toBe('c0');
  expect(chosen([], never)).toBeUndefined();
});

test('of links that are equally loaded each is chosen as often', () => {
  const counts = { c0: 0, c2: 0, c3: 0 } as Record<string, number>;
  const targets = links(1, 2, 1, 1);
  // Every pair of a fine grid: what the second and the third link throw.
  for (let second = 0; second < 30; second += 1) {
    for (let third = 0; third < 30; third += 1) {
      const throws = [second / 30, third / 30];
      const id = chosen(targets, () => throws.shift() as number) as string;
      counts[id] = (counts[id] ?? 0) + 1;
    }
  }
  expect(counts).toEqual({ c0: 300, c2: 300, c3: 300 });
});

test('a link that drains, lacks the source or is named is not chosen', () => {
  const [draining, named, last] = links(0, 0, 5) as [FakeTarget, FakeTarget, FakeTarget];
  draining.draining = true;
  const other = new FakeTarget('plant-7', ['logs']);
  expect(chosen([draining, other, named, last], never, 'c1')).toBe('c2');
  expect(chosen([draining, other, named], never, 'c1')).toBeUndefined();
});
