import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, test } from 'vitest';
import type { LinkRecord } from '../registry/registry.ts';
import { LinkJournal } from './link-journal.ts';

const link = (connectionId = 'c1', agent = 'a/1'): LinkRecord => ({
  device: 'plant-7',
  instance: 'main',
  connectionId,
  connectedAt: 1,
  subprotocol: 'pullwire.v1+bin',
  agent,
  sources: [],
  labels: {},
  features: [],
});

/** A registry that answers when the test says so. */
function bench() {
  const clock = new ManualClock();
  const calls: string[] = [];
  const failures: unknown[] = [];
  let failing = false;
  const write = async (call: string): Promise<void> => {
    calls.push(call);
    if (failing) throw new Error('down');
  };
  const journal = new LinkJournal({
    registry: {
      link: async () => undefined,
      openLink: async (record) => {
        await write(`open ${record.connectionId} ${record.agent}`);
        return 'opened';
      },
      describeLink: async (_device, _instance, connectionId, hello) => {
        await write(`describe ${connectionId} ${hello.agent}`);
        return link(connectionId);
      },
      closeLink: async (_device, _instance, connectionId, end) => {
        await write(`close ${connectionId} ${end.why}`);
        return true;
      },
    },
    clock,
    failed: (error) => failures.push(error),
  });
  return {
    clock,
    calls,
    failures,
    journal,
    fail: (now: boolean) => {
      failing = now;
    },
  };
}

describe('link journal', () => {
  test('a link is written once when it opens and once when it ends', async () => {
    const b = bench();
    b.journal.opened(link());
    await b.journal.flush();
    b.journal.closed(link(), { at: 2, why: 'idle' });
    await b.journal.flush();
    expect(b.calls).toEqual(['open c1 a/1', 'close c1 idle']);
    expect(b.journal.waiting).toBe(0);
  });

  test('changes while a write is under way are one further write', async () => {
    const b = bench();
    b.journal.opened(link());
    b.journal.described(link('c1', 'a/2'));
    b.journal.described(link('c1', 'a/3'));
    await b.journal.flush();
    await b.journal.flush();
    expect(b.calls).toEqual(['open c1 a/1', 'describe c1 a/3']);
  });

  test('a description that waits beside the opening goes with it', async () => {
    const b = bench();
    b.journal.opened(link('c0'));
    b.journal.opened(link());
    b.journal.described(link('c1', 'a/2'));
    await b.journal.flush();
    expect(b.calls).toEqual(['open c0 a/1', 'open c1 a/2']);
  });

  test('a description that comes after an opening which failed is written beside it: that one may stand', async () => {
    const b = bench();
    b.fail(true);
    b.journal.opened(link());
    await b.journal.flush();
    b.journal.described(link('c1', 'a/2'));
    b.fail(false);
    b.calls.length = 0;
    b.clock.advance(5_000);
    await b.journal.flush();
    expect(b.calls).toEqual(['open c1 a/2', 'describe c1 a/2']);
  });

  test('tells of ends that are not written yet, and of no other device’s', async () => {
    const b = bench();
    b.fail(true);
    b.journal.opened(link());
    b.journal.opened({ ...link('c2'), device: 'plant-8' });
    expect(b.journal.unwrittenEnds('plant-7')).toEqual([]);
    b.journal.closed(link(), { at: 2, why: 'idle' });
    b.journal.closed({ ...link('c2'), device: 'plant-8' }, { at: 3, why: 'idle' });
    const ended = { ...link(), closedAt: 2, closedWhy: 'idle' };
    expect(b.journal.unwrittenEnds('plant-7')).toEqual([ended]);
    b.fail(false);
    await b.journal.flush();
    await b.journal.flush();
    expect(b.journal.unwrittenEnds('plant-7')).toEqual([]);
  });

  test('a registry that is down loses nothing: all is written when it is back', async () => {
    const b = bench();
    b.fail(true);
    b.journal.opened(link());
    await b.journal.flush();
    b.journal.closed(link(), { at: 2, why: 'idle' });
    b.journal.opened(link('c2'));
    expect([b.journal.waiting, b.failures.length]).toEqual([2, 1]);
    b.fail(false);
    b.calls.length = 0;
    b.clock.advance(5_000);
    await b.journal.flush();
    // One after the other, since both are of one instance.
    expect(b.calls).toEqual(['open c1 a/1', 'close c1 idle', 'open c2 a/1']);
    expect(b.journal.waiting).toBe(0);
  });
});
