import { ManualClock } from '@pullwire/shared/manual-clock';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { MemoryLinks } from '../registry/memory-links.ts';
import { link } from '../registry/registry-sample.ts';
import { LinkJournal, type LinkJournalOptions } from './link-journal.ts';

const long = process.env['PULLWIRE_LONG'] === '1';
const retryMs = 5_000;

const happenings = fc.oneof(
  fc
    .constantFrom('open', 'describe', 'close newest', 'close oldest', 'wait', 'restart')
    .map((what) => ({ what, n: 0 })),
  fc.record({
    what: fc.constantFrom('refuse', 'lose answers', 'move the clock'),
    n: fc.integer({ min: -20, max: 20 }),
  }),
);
type Happening = { readonly what: string; readonly n: number };

interface Live {
  readonly connectionId: string;
  readonly connectedAt: number;
  agent: string;
}

/** One-box servers, one after the other, over a registry that fails now and then. */
class Bench {
  readonly links = new MemoryLinks();
  readonly #clock = new ManualClock();
  #wall = 1_000;
  #refusing = 0;
  #losing = 0;
  #names = 0;
  #lastConnectedAt = 0;
  #journal = this.#createJournal();
  #live: Live[] = [];
  /** The latest link of this process, and how it ended. */
  latest: (Live & { end?: string }) | undefined;

  async happens({ what, n }: Happening): Promise<void> {
    this.#wall += 1;
    if (what === 'open') this.#open();
    else if (what === 'describe') this.#describe();
    else if (what === 'close newest') this.#close(this.#live.at(-1));
    else if (what === 'close oldest') this.#close(this.#live[0]);
    else if (what === 'wait') this.#clock.advance(retryMs);
    else if (what === 'restart') this.#restart();
    else if (what === 'refuse') this.#refusing = Math.abs(n) % 4;
    else if (what === 'lose answers') this.#losing = Math.abs(n) % 4;
    else this.#wall += n * 100;
    // Writes go on between happenings, or not, as it comes.
    for (let turn = 0; turn < Math.abs(n) % 5; turn += 1) await Promise.resolve();
  }

  /** The registry works again, and all is written. */
  async settle(): Promise<number> {
    this.#refusing = 0;
    this.#losing = 0;
    for (let round = 0; round < 4; round += 1) await this.#journal.flush();
    return this.#journal.waiting;
  }

  #open(): void {
    this.#lastConnectedAt = Math.max(this.#lastConnectedAt + 1, this.#wall);
    this.#names += 1;
    const connectionId = `c-${(this.#names * 7) % 100}-${this.#names}`;
    this.latest = { connectionId, connectedAt: this.#lastConnectedAt, agent: 'a/1' };
    this.#live.push(this.latest);
    this.#journal.opened(link(this.latest));
  }

  #describe(): void {
    const live = this.#live.at(-1);
    if (live === undefined) return;
    live.agent = `a/${this.#wall}`;
    this.#journal.described(link({ ...live }));
  }

  #close(live: Live | undefined): void {
    if (live === undefined) return;
    this.#live = this.#live.filter((other) => other !== live);
    const why = `end of ${live.connectionId}`;
    if (live === this.latest) this.latest.end = why;
    this.#journal.closed(link({ ...live }), { at: this.#wall, why });
  }

  /** What was not written is lost. */
  #restart(): void {
    this.#journal.stop();
    this.#live = [];
    this.latest = undefined;
    this.#lastConnectedAt = 0;
    this.#journal = this.#createJournal();
  }

  #createJournal(): LinkJournal {
    let stopped = false;
    const { links } = this;
    const write = async <T>(run: () => Promise<T>): Promise<T> => {
      await Promise.resolve();
      if (stopped) throw new Error('this process is no more');
      if (this.#refusing-- > 0) throw new Error('refused');
      const answer = await run();
      if (this.#losing-- > 0) throw new Error('the answer was lost');
      return answer;
    };
    const registry: LinkJournalOptions['registry'] = {
      link: (...args) => write(() => links.link(...args)),
      openLink: (...args) => write(() => links.openLink(...args)),
      describeLink: (...args) => write(() => links.describeLink(...args)),
      closeLink: (...args) => write(() => links.closeLink(...args)),
    };
    const journal = new LinkJournal({ registry, clock: this.#clock, failed: () => undefined });
    const stop = journal.stop.bind(journal);
    journal.stop = () => {
      stopped = true;
      stop();
    };
    return journal;
  }
}

test('whatever fails and whenever, the registry ends with the latest link of this process as it is', async () => {
  const property = fc.asyncProperty(fc.array(happenings, { maxLength: 30 }), async (all) => {
    const bench = new Bench();
    for (const happening of all) await bench.happens(happening);
    expect(await bench.settle()).toBe(0);
    if (bench.latest === undefined) return;
    const { connectionId, agent, end } = bench.latest;
    const stored = await bench.links.link('plant-7', 'main');
    expect([stored?.connectionId, stored?.agent, stored?.closedWhy]).toEqual([
      connectionId,
      agent,
      end,
    ]);
  });
  await fc.assert(property, { numRuns: long ? 30_000 : 3_000 });
}, 120_000);
