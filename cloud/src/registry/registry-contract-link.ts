import { beforeEach, expect, it } from 'vitest';
import type { LinkRecord, Registry } from './registry.ts';
import { bare, hello, link, profile } from './registry-sample.ts';

export function linkContract(registry: () => Registry): void {
  const stored = async () => {
    const device = await registry().device('plant-7');
    expect(device?.links.length).toBe(1);
    return device?.links[0];
  };
  beforeEach(async () => {
    await registry().addDevice(profile);
  });

  it('reads back a link as it was opened', async () => {
    const full = link({ ...hello, expiresAt: 9_999, upSince: 4_000, ups: [1_000, 4_000] });
    expect(await registry().openLink(full)).toBe('opened');
    expect(await stored()).toEqual(full);
  });

  it('keeps one link an instance, and the links of two instances apart', async () => {
    await registry().openLink(link());
    await registry().openLink(link({ instance: 'spare', connectionId: 'c-2' }));
    const device = await registry().device('plant-7');
    expect(device?.links.map((l) => l.instance)).toEqual(['main', 'spare']);
  });

  it('lets a link replace an older one only', async () => {
    await registry().openLink(link({ connectedAt: 6_000, connectionId: 'new' }));
    expect(await registry().openLink(link({ connectedAt: 5_000, connectionId: 'old' }))).toBe(
      'older',
    );
    expect((await stored())?.connectionId).toBe('new');
    expect(await registry().openLink(link({ connectedAt: 7_000, connectionId: 'newer' }))).toBe(
      'opened',
    );
    expect((await stored())?.connectionId).toBe('newer');
  });

  it('compares times as numbers', async () => {
    await registry().openLink(link({ connectedAt: 9_999, connectionId: 'a' }));
    expect(await registry().openLink(link({ connectedAt: 10_000, connectionId: 'b' }))).toBe(
      'opened',
    );
  });

  it('tells two links of one millisecond apart by their connection ids, in either order', async () => {
    await registry().openLink(link({ connectionId: 'b' }));
    expect(await registry().openLink(link({ connectionId: 'a' }))).toBe('older');
    expect(await registry().openLink(link({ connectionId: 'c' }))).toBe('opened');
  });

  it('answers a repeated opening as the first one', async () => {
    expect(await registry().openLink(link())).toBe('opened');
    await registry().describeLink('plant-7', 'main', 'c-1', hello);
    expect(await registry().openLink(link())).toBe('opened');
    expect(await stored()).toEqual(link(hello));
  });

  it('does not reopen a link by repeating its opening', async () => {
    await registry().openLink(link());
    await registry().closeLink('plant-7', 'main', 'c-1', { at: 6_000, why: 'link-lost' });
    expect(await registry().openLink(link())).toBe('older');
    expect((await stored())?.closedWhy).toBe('link-lost');
  });

  it('reads one link, and remembers that it drains and what it replaced', async () => {
    expect(await registry().link('plant-7', 'main')).toBeUndefined();
    await registry().openLink(link({ replaces: 'c-0' }));
    expect(await registry().drainLink('plant-7', 'main', 'c-9', 6_000)).toBe(false);
    expect(await registry().drainLink('plant-7', 'main', 'c-1', 6_000)).toBe(true);
    const drained = link({ replaces: 'c-0', drainingAt: 6_000 });
    expect(await registry().link('plant-7', 'main')).toEqual(drained);
    await registry().closeLink('plant-7', 'main', 'c-1', { at: 7_000, why: 'drained' });
    expect(await registry().drainLink('plant-7', 'main', 'c-1', 8_000)).toBe(false);
  });

  it('keeps the first last word', async () => {
    await registry().openLink(link());
    const close = (at: number, why: string) =>
      registry().closeLink('plant-7', 'main', 'c-1', { at, why });
    expect(await close(6_000, 'gone')).toBe(true);
    expect(await close(7_000, 'disconnect')).toBe(false);
    expect(await stored()).toMatchObject({ closedAt: 6_000, closedWhy: 'gone' });
  });

  it('starts a new link without the last word of the one before', async () => {
    await registry().openLink(link());
    await registry().closeLink('plant-7', 'main', 'c-1', { at: 6_000, why: 'gone' });
    await registry().openLink(link({ connectedAt: 7_000, connectionId: 'c-2' }));
    expect(await stored()).toEqual(link({ connectedAt: 7_000, connectionId: 'c-2' }));
  });

  it('writes nothing about a link that was never opened', async () => {
    expect(await registry().describeLink('plant-7', 'main', 'c-1', hello)).toBeUndefined();
    const end = { at: 6_000, why: 'gone' };
    expect(await registry().closeLink('plant-7', 'main', 'c-1', end)).toBe(false);
    expect((await registry().device('plant-7'))?.links).toEqual([]);
  });

  it('ends alike in every order of the events of two links, repeats included', async () => {
    const orders = [
      ...interleavings(['a connect', 'a hello', 'a gone'], ['b connect', 'b hello', 'b gone']),
      ...interleavings(
        ['a connect', 'a hello', 'a gone', 'a disconnect'],
        ['b connect', 'b hello'],
      ),
    ];
    await inParallel(orders, 24, async (order, n) => {
      const device = `order-${n}`;
      await registry().addDevice({ ...profile, device });
      for (const event of order) await say(registry(), device, event);
      for (const event of order) await say(registry(), device, event);
      const end = (await registry().device(device))?.links[0];
      expect({ order, end }).toEqual({ order, end: expectedEnd(device, order) });
    });
  }, 120_000);
}

/** Both connects come before their own link's other events, which may come in any order. */
function interleavings(a: readonly string[], b: readonly string[]): string[][] {
  return permutations([...a, ...b]).filter((order) =>
    [a, b].every((events) =>
      events.every((event) => order.indexOf(event) >= order.indexOf(events[0] ?? '')),
    ),
  );
}

function permutations(items: readonly string[]): string[][] {
  if (items.length === 0) return [[]];
  return items.flatMap((item) =>
    permutations(items.filter((other) => other !== item)).map((rest) => [item, ...rest]),
  );
}

/** Link `b` connected a millisecond after `a`. */
const linkNamed = (device: string, name: string): LinkRecord =>
  link({ device, connectionId: `c-${name}`, connectedAt: name === 'a' ? 5_000 : 5_001 });

async function say(registry: Registry, device: string, event: string): Promise<void> {
  const [name = '', what = ''] = event.split(' ');
  if (what === 'connect') await registry.openLink(linkNamed(device, name));
  else if (what === 'hello') await registry.describeLink(device, 'main', `c-${name}`, hello);
  else await registry.closeLink(device, 'main', `c-${name}`, { at: 6_000, why: event });
}

/** The newer link, as its own events left it: described unless it had ended, closed by the first end. */
function expectedEnd(device: string, order: readonly string[]): LinkRecord {
  const own = order.filter((event) => event.startsWith('b '));
  const end = own.find((event) => event === 'b gone' || event === 'b disconnect');
  const described = own.indexOf('b hello') < (end === undefined ? own.length : own.indexOf(end));
  return {
    ...linkNamed(device, 'b'),
    ...(described ? hello : bare),
    ...(end === undefined ? {} : { closedAt: 6_000, closedWhy: end }),
  };
}

async function inParallel<T>(
  items: readonly T[],
  workers: number,
  run: (item: T, index: number) => Promise<void>,
): Promise<void> {
  const queue = items.entries();
  const work = async () => {
    for (const [index, item] of queue) await run(item, index);
  };
  await Promise.all(Array.from({ length: workers }, work));
}
