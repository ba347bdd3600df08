import { frameLimits, type Reading, type Subprotocol } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { SpoolReadLimit, SpoolRow } from '../spool/spool-reading.ts';
import type { ReadingLink } from './reading-link.ts';
import { ReadingSender, type ReadingStore } from './reading-sender.ts';

/** What waits, in memory in place of the disk. */
class MemoryStore implements ReadingStore {
  readonly rows = new Map<number, SpoolRow>();
  readonly removed: number[] = [];
  #added = (): void => {};
  #lastId = 0;

  onAdded(added: () => void): void {
    this.#added = added;
  }

  async read(after: number, limit: SpoolReadLimit): Promise<readonly SpoolRow[]> {
    return [...this.rows.values()].filter(({ id }) => id > after).slice(0, limit.rows);
  }

  async remove(ids: readonly number[]): Promise<void> {
    for (const id of ids) this.rows.delete(id);
    this.removed.push(...ids);
  }

  put(count: number, bytes = 10): void {
    for (let i = 0; i < count; i += 1) {
      this.#lastId += 1;
      const id = this.#lastId;
      const entry = {
        schedule: 'a',
        at: id,
        source: 's',
        path: '/',
        ms: 1,
        status: 200,
        headers: [],
      };
      this.rows.set(id, { id, entry, body: Buffer.alloc(bytes, id) });
    }
    this.#added();
  }
}

class RecordedLink implements ReadingLink {
  readonly subprotocol: Subprotocol;
  readonly limits;
  readonly sent: Reading[] = [];
  hasRoom = true;
  pulledAt = Number.NEGATIVE_INFINITY;

  constructor(subprotocol: Subprotocol = 'pullwire.v1+bin') {
    this.subprotocol = subprotocol;
    this.limits = frameLimits[subprotocol];
  }

  reading(message: Reading): boolean {
    if (this.hasRoom) this.sent.push(message);
    return this.hasRoom;
  }

  get times(): number[][] {
    return this.sent.map(({ readings }) => readings.map(({ at }) => at));
  }
}

let clock: ManualClock;
let store: MemoryStore;
let link: RecordedLink;
let sender: ReadingSender;
let logged: string[];

/** Everything that was promised has happened. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

beforeEach(() => {
  clock = new ManualClock();
  store = new MemoryStore();
  link = new RecordedLink();
  logged = [];
  const logger = pino({ level: 'info' }, { write: (line: string) => logged.push(line) });
  sender = new ReadingSender({ store, clock, logger });
});

/** The relay says that it has stored the last batch that it got. */
async function storeLast(to = link, refused?: Parameters<ReadingSender['stored']>[0]['refused']) {
  const batch = to.sent.at(-1)?.batch ?? -1;
  sender.stored({ action: 'stored', batch, ...(refused && { refused }) });
  await settled();
}

/** The relay wants the last batch that it got later. */
async function holdLast(retryAfterMs: number, of = link) {
  const batch = of.sent.at(-1)?.batch ?? -1;
  sender.held({ action: 'held', batch, code: 'quota-full', detail: 'd', retryAfterMs });
  await settled();
}

describe('readings on their way', () => {
  it('go when there is a link, many in a message, and leave the spool when they are stored', async () => {
    store.put(3);
    await settled();
    sender.opened(link);
    await settled();
    expect(link.times).toEqual([[1, 2, 3]]);
    expect(link.sent[0]?.body).toHaveLength(30);
    expect(store.removed).toEqual([]);
    await storeLast();
    expect(store.removed).toEqual([1, 2, 3]);
    expect(sender.counters).toEqual({ sent: 3, refused: 0, batches: 1, again: 0, held: 0 });
    expect([sender.unanswered, clock.pending]).toEqual([0, 0]);
  });

  it('that are taken while the link is open go at once', async () => {
    sender.opened(link);
    store.put(1);
    await settled();
    await storeLast();
    store.put(1);
    await settled();
    expect(link.times).toEqual([[1], [2]]);
  });

  it('wait one batch for the other until the path has shown that it is quick, and 4 at most', async () => {
    store.put(5_000, 500);
    sender.opened(link);
    await settled();
    expect(link.sent).toHaveLength(1);
    const small = link.sent[0]?.readings.length ?? 0;
    for (let round = 0; round < 6; round += 1) {
      for (const { batch } of [...link.sent]) sender.stored({ action: 'stored', batch });
      await settled();
      expect(sender.unanswered).toBeLessThanOrEqual(4);
    }
    expect(sender.unanswered).toBe(4);
    expect(link.sent.at(-1)?.readings.length).toBeGreaterThan(small * 3);
  });

  it('take their time while callers pull', async () => {
    store.put(5_000, 500);
    sender.opened(link);
    await settled();
    for (let round = 0; round < 6; round += 1) {
      for (const { batch } of [...link.sent]) sender.stored({ action: 'stored', batch });
      await settled();
    }
    for (const { batch } of link.sent) {
      link.pulledAt = clock.monotonic();
      sender.stored({ action: 'stored', batch });
      await settled();
    }
    const before = link.sent.length;
    expect(sender.unanswered).toBe(0);
    clock.advance(100);
    await settled();
    expect(link.sent).toHaveLength(before + 1);
    expect(link.sent.at(-1)?.readings.length).toBeLessThan(8);
    await storeLast();
    expect([sender.unanswered, link.sent.length]).toEqual([0, before + 1]);
    clock.advance(100);
    await settled();
    expect(link.sent).toHaveLength(before + 2);
  });

  it('are few at a time where the answers are slow', async () => {
    store.put(5_000, 500);
    sender.opened(link);
    await settled();
    for (let round = 0; round < 4; round += 1) {
      clock.advance(2_000);
      await storeLast();
    }
    expect(sender.unanswered).toBe(1);
    expect(link.sent.at(-1)?.readings.length).toBeLessThan(6);
  });

  it('wait where pulls have something to send, and go on when there is room', async () => {
    link.hasRoom = false;
    sender.opened(link);
    store.put(2);
    await settled();
    expect(link.sent).toEqual([]);
    link.hasRoom = true;
    sender.room(link);
    expect(link.times).toEqual([[1, 2]]);
  });

  it('go again where no stored came within 30 s', async () => {
    sender.opened(link);
    store.put(2);
    await settled();
    clock.advance(29_999);
    expect(link.sent).toHaveLength(1);
    clock.advance(1);
    expect(link.times).toEqual([
      [1, 2],
      [1, 2],
    ]);
    await storeLast();
    expect(store.removed).toEqual([1, 2]);
    expect(sender.counters).toMatchObject({ sent: 2, again: 1 });
  });

  it('go again on the next link where the link was lost, the oldest first', async () => {
    sender.opened(link);
    store.put(2);
    await settled();
    sender.lost(link);
    store.put(1);
    await settled();
    const next = new RecordedLink('pullwire.v1+json');
    sender.opened(next);
    expect(next.times).toEqual([[1, 2]]);
    // What a relay still says of the lost link's batch is about nothing.
    sender.stored({ action: 'stored', batch: link.sent[0]?.batch ?? -1 });
    expect(store.removed).toEqual([]);
    await storeLast(next);
    expect(store.removed).toEqual([1, 2]);
    expect(next.times).toEqual([[1, 2], [3]]);
  });

  it('move to the next link before the one before is closed, and what it was sent stays with it', async () => {
    sender.opened(link);
    store.put(1);
    await settled();
    const next = new RecordedLink();
    sender.opened(next);
    store.put(1);
    await settled();
    expect(next.times).toEqual([]);
    await storeLast(link);
    expect(next.times).toEqual([[2]]);
    sender.lost(link);
    expect(next.times).toEqual([[2]]);
  });

  it('that the relay refuses are dropped, counted and named', async () => {
    sender.opened(link);
    store.put(3);
    await settled();
    await storeLast(link, [{ index: 1, code: 'too-old', detail: 'older than 30 days' }]);
    expect(store.removed).toEqual([1, 2, 3]);
    expect(sender.counters).toMatchObject({ sent: 2, refused: 1 });
    expect(logged.join()).toContain('"at":2,"code":"too-old"');
  });

  it('are not sent any more after stop, but removed where the relay has them', async () => {
    sender.opened(link);
    store.put(1);
    await settled();
    sender.stop();
    store.put(1);
    await storeLast();
    expect(link.times).toEqual([[1]]);
    expect(store.removed).toEqual([1]);
    expect(clock.pending).toBe(0);
  });
});

describe('readings that the relay wants later', () => {
  it('stay in the spool and go when the time has passed, the oldest first', async () => {
    sender.opened(link);
    store.put(2);
    await settled();
    await holdLast(900_000);
    store.put(1);
    await settled();
    expect([sender.unanswered, sender.hold?.code]).toEqual([0, 'quota-full']);
    clock.advance(899_999);
    expect([link.times, store.removed]).toEqual([[[1, 2]], []]);
    clock.advance(1);
    await settled();
    await storeLast();
    await storeLast();
    expect(link.times).toEqual([[1, 2], [1, 2], [3]]);
    expect(store.removed).toEqual([1, 2, 3]);
    expect(sender.counters).toEqual({ sent: 3, refused: 0, batches: 3, again: 0, held: 1 });
    expect([sender.hold, clock.pending]).toEqual([undefined, 0]);
  });

  it('go at once over another link, whose relay may think otherwise', async () => {
    sender.opened(link);
    store.put(1);
    await settled();
    await holdLast(900_000);
    const next = new RecordedLink();
    sender.opened(next);
    await settled();
    expect([next.times, sender.hold]).toEqual([[[1]], undefined]);
  });

  it('hold nothing on the next link where the link before said it', async () => {
    sender.opened(link);
    store.put(1);
    await settled();
    const next = new RecordedLink();
    sender.opened(next);
    await holdLast(900_000);
    expect([next.times, sender.hold]).toEqual([[[1]], undefined]);
  });

  it('go on with the piece that was held', async () => {
    sender.opened(link);
    store.put(1, 65_536 * 2 + 100);
    await settled();
    await storeLast();
    await holdLast(1_000);
    clock.advance(1_000);
    expect(link.sent.map(({ readings: [one] }) => one?.piece?.index)).toEqual([0, 1, 1]);
    await storeLast();
    await storeLast();
    expect([store.removed, sender.counters.sent]).toEqual([[1], 1]);
  });

  it('are nothing that a stopped agent waits for', async () => {
    sender.opened(link);
    store.put(1);
    await settled();
    await holdLast(1_000);
    sender.stop();
    expect(clock.pending).toBe(0);
  });
});

describe('a reading that does not fit into one message', () => {
  const large = 65_536 * 2 + 100;

  it('goes in pieces, the last one when the others are stored', async () => {
    sender.opened(link);
    store.put(1, large);
    store.put(1);
    await settled();
    const pieces = (): unknown[] => link.sent.map(({ readings: [one] }) => one?.piece?.index);
    expect(pieces()).toEqual([0]);
    await storeLast();
    expect(pieces()).toEqual([0, 1]);
    await storeLast();
    expect(pieces()).toEqual([0, 1, 2]);
    expect(link.sent[1]?.readings[0]?.status).toBeUndefined();
    expect(link.sent[2]?.readings[0]?.status).toBe(200);
    expect(store.removed).toEqual([]);
    await storeLast();
    expect(store.removed).toEqual([1]);
    expect(
      Buffer.concat(link.sent.slice(0, 3).map(({ body }) => body ?? Buffer.alloc(0))),
    ).toHaveLength(large);
    expect(link.times.at(-1)).toEqual([2]);
  });

  it('goes from its first piece on where the link is another', async () => {
    sender.opened(link);
    store.put(1, large);
    await settled();
    await storeLast();
    sender.lost(link);
    const next = new RecordedLink('pullwire.v1+json');
    sender.opened(next);
    await settled();
    expect(next.sent.map(({ readings: [one] }) => one?.piece?.index)).toEqual([0]);
    for (let i = 0; i < 20; i += 1) {
      for (const { batch } of [...next.sent]) sender.stored({ action: 'stored', batch });
      await settled();
    }
    expect(store.removed).toEqual([1]);
    expect(sender.counters.sent).toBe(1);
  });

  it('goes on with the piece that no stored came for', async () => {
    sender.opened(link);
    store.put(1, large);
    await settled();
    clock.advance(30_000);
    expect(link.sent.map(({ readings: [one] }) => one?.piece?.index)).toEqual([0, 0]);
  });

  it('is dropped as a whole where the relay refuses a piece', async () => {
    sender.opened(link);
    store.put(1, large);
    await settled();
    await storeLast(link, [{ index: 0, code: 'too-large', detail: 'over 1 MiB' }]);
    expect(store.removed).toEqual([1]);
    expect(sender.counters).toMatchObject({ sent: 0, refused: 1 });
    expect([sender.unanswered, clock.pending]).toEqual([0, 0]);
  });
});
