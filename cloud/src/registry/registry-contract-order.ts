import fc from 'fast-check';
import { expect, it } from 'vitest';
import { closeGatewayLink, type OpenedLink, openGatewayLink } from '../session/gateway-link.ts';
import type { LinkRegistry } from './memory-links.ts';
import type { LinkRecord } from './registry.ts';
import { hello } from './registry-sample.ts';
import { servingConnection } from './serving-link.ts';
import {
  after,
  type LinkEvent,
  type LinkName,
  linkEvents,
  nobody,
  type TwoLinks,
  takesPulls,
} from './two-links-model.ts';

/** The older and the newer link: by a millisecond, by the number of digits, by the connection's id alone. */
const fences = [
  { by: 'a millisecond', older: { connectedAt: 5_000 }, newer: { connectedAt: 5_001 } },
  {
    by: 'a number with more digits',
    older: { connectedAt: 9_999 },
    newer: { connectedAt: 10_000 },
  },
  { by: 'its connection id', older: { connectedAt: 5_000 }, newer: { connectedAt: 5_000 } },
] as const;
type Fence = (typeof fences)[number];

const ids: Record<LinkName, string> = { newer: 'c-2', older: 'c-1' };
const names = ['older', 'newer'] as const;
const ends = { gone: 6_000, disconnect: 6_001 } as const;

/** A moment: what the links went through, and what the registry holds. */
interface Moment {
  readonly links: TwoLinks;
  readonly record: LinkRecord | undefined;
}

/** How much is tried where every call takes a while. */
export interface OrderExtent {
  /** How many kinds of fence. */
  readonly fences: number;
  /** How many whole orders. */
  readonly orders: number;
}

/**
 * Every event is one conditional write on one item, so the two links are a state machine: from each state that can be
 * reached, each event of either link is said once. That is every order of their events, with any number of repeats,
 * however late.
 */
export function orderContract(registry: () => LinkRegistry, extent: OrderExtent): void {
  it.each(fences.slice(0, extent.fences))(
    'ends right in every order of two links’ events, said again and late too: newer by $by',
    async (fence) => {
      expect(await explore(registry(), fence)).toEqual({ moments: 187, steps: 1_870 });
    },
    300_000,
  );

  it('ends right after whole orders of them, each event said twice', async () => {
    const saidTwice = [...everyEvent, ...everyEvent];
    const orders = fc.shuffledSubarray(saidTwice, { minLength: saidTwice.length });
    const property = fc.asyncProperty(orders, fc.uuid(), (order, device) =>
      sayInOrder(registry(), order, device),
    );
    await fc.assert(property, { numRuns: extent.orders, seed: 1 });
  }, 300_000);
}

const everyEvent = names.flatMap((name) => linkEvents.map((event) => ({ name, event })));

/** How many moments can be reached, and how many steps lead from them. */
async function explore(registry: LinkRegistry, fence: Fence) {
  const seen = new Set<string>();
  let steps = 0;
  let level: Moment[] = [{ links: nobody, record: undefined }];
  while (level.length > 0) {
    for (const moment of level) seen.add(keyOf(moment));
    const found = await inParallel(level.flatMap(stepsFrom), 24, (step) => {
      steps += 1;
      return take(registry, fence, step, `order-${steps}`);
    });
    const fresh = new Map(found.map((moment) => [keyOf(moment), moment]));
    level = [...fresh].filter(([key]) => !seen.has(key)).map(([, moment]) => moment);
  }
  return { moments: seen.size, steps };
}

async function sayInOrder(
  registry: LinkRegistry,
  order: readonly Pick<Step, 'name' | 'event'>[],
  device: string,
): Promise<void> {
  let links = nobody;
  for (const { name, event } of order) {
    await say(registry, opened(fences[0], name, device), event);
    links = after(links, name, event).links;
  }
  expect(viewOf(await registry.link(device, 'main'))).toEqual(viewOfModel(links));
}

interface Step extends Moment {
  readonly name: LinkName;
  readonly event: LinkEvent;
}

const stepsFrom = (moment: Moment): Step[] =>
  names.flatMap((name) => linkEvents.map((event) => ({ ...moment, name, event })));

/** How long an instance has been there, and how often it came, decides nothing. */
const beside = { device: '', upSince: 0, ups: [] };

const keyOf = ({ links, record }: Moment): string =>
  JSON.stringify([links, record && Object.entries({ ...record, ...beside }).sort()]);

/** Goes on from a moment, on a device of its own; what comes of it is what should. */
async function take(
  registry: LinkRegistry,
  fence: Fence,
  { links, record, name, event }: Step,
  device: string,
): Promise<Moment> {
  if (record !== undefined) await registry.openLink({ ...record, device });
  const taken = await say(registry, opened(fence, name, device), event);
  const expected = after(links, name, event);
  const left = await registry.link(device, 'main');
  const told = { links, name, event, taken, ...viewOf(left) };
  expect(told).toEqual({
    links,
    name,
    event,
    taken: expected.taken,
    ...viewOfModel(expected.links),
  });
  return { links: expected.links, record: left };
}

const opened = (fence: Fence, name: LinkName, device: string): OpenedLink => ({
  connectionId: ids[name],
  connectedAt: fence[name].connectedAt,
  identity: { device, instance: 'main' },
  subprotocol: 'pullwire.v1+json',
});

/** As the hosts say it; whether it was taken. */
async function say(registry: LinkRegistry, from: OpenedLink, event: LinkEvent): Promise<boolean> {
  const { connectionId, identity } = from;
  const { device, instance } = identity;
  switch (event) {
    case 'connect':
      return (await openGatewayLink(registry, from, Promise.resolve())) === 'opened';
    case 'hello':
      return (
        (await registry.describeLink(device, instance, connectionId, helloOf(connectionId))) !==
        undefined
      );
    case 'drain':
      return registry.drainLink(device, instance, connectionId, 5_900);
    default:
      return closeGatewayLink(registry, from, { at: ends[event], why: event });
  }
}

const helloOf = (connectionId: string) => ({
  ...hello,
  sources: [{ name: connectionId, kind: 'http', methods: ['GET'] }],
});

/** What the registry lets see: whose link it is, its last word, and who takes the pulls with which sources. */
function viewOf(record: LinkRecord | undefined) {
  if (record === undefined) return { latest: undefined, takes: undefined };
  const serving = servingConnection(record);
  const drains = record.drainingAt !== undefined && serving === record.connectionId;
  const takes = drains ? undefined : serving;
  return {
    latest: record.connectionId,
    greeted: record.agent !== '',
    drainingAt: record.drainingAt,
    closedAt: record.closedAt,
    closedWhy: record.closedWhy,
    takes,
    sources: takes === undefined ? [] : record.sources.map((source) => source.name),
  };
}

function viewOfModel(links: TwoLinks): ReturnType<typeof viewOf> {
  const name = names.findLast((one) => links[one].came);
  if (name === undefined) return { latest: undefined, takes: undefined };
  const { greeted, drains, end } = links[name];
  const takes = takesPulls(links);
  return {
    latest: ids[name],
    greeted,
    drainingAt: drains ? 5_900 : undefined,
    closedAt: end === undefined || end === 'replaced' ? undefined : ends[end],
    closedWhy: end,
    takes: takes && ids[takes],
    sources: takes === undefined ? [] : [ids[takes]],
  };
}

async function inParallel<T, R>(
  items: readonly T[],
  workers: number,
  run: (item: T) => Promise<R>,
): Promise<R[]> {
  const queue = items.values();
  const results: R[] = [];
  const work = async () => {
    for (const item of queue) results.push(await run(item));
  };
  await Promise.all(Array.from({ length: workers }, work));
  return results;
}
