import { beforeEach, describe, expect, it } from 'vitest';
import type { QueueStore } from './queue-store.ts';
import { queueBodiesContract, queueUploadsContract } from './queue-store-contract-body.ts';
import type { PullEnd, Sending } from './queued-pull.ts';
import { queuedPull, sampleId } from './queued-sample.ts';
import type { ReplyFrame } from './reply-frame.ts';

const sending: Sending = {
  sentAs: sampleId(1, 1),
  sentAt: 2_000,
  answerBy: 7_000,
  connectionId: 'c1',
};
const other: Sending = { ...sending, sentAs: sampleId(1, 2), connectionId: 'c2' };
const done: PullEnd = { state: 'done', endedAt: 3_000, reply: { status: 200, bytes: 8 } };
const failed: PullEnd = {
  state: 'failed',
  endedAt: 3_000,
  fault: { code: 'busy', stage: 'agent-accept', detail: 'busy', answeredBy: 'agent' },
};

/** What every store of queued pulls does. `fresh` gives one that is empty, `sweep` removes what was kept until then. */
export function queueStoreContract(
  name: string,
  fresh: () => Promise<{ store: QueueStore; sweep(keptBefore: number): Promise<number> }>,
): void {
  describe(`${name} keeps the contract of a store of queued pulls`, () => {
    let store: QueueStore;
    let sweep: (keptBefore: number) => Promise<number>;
    beforeEach(async () => {
      ({ store, sweep } = await fresh());
    });
    const pull = queuedPull();
    const now = () => store.queuedPull(pull, 0);

    it('reads back a pull as it was queued, byte for byte', async () => {
      await store.addPull(pull);
      expect(await now()).toEqual(pull);
      const bare = queuedPull({ queuedAt: 5, body: new Uint8Array(0), headers: [] });
      const { keyHash: _, query: __, ...least } = bare;
      await store.addPull(least);
      expect(await store.queuedPull(least, 0)).toEqual(least);
    });

    it('knows no other, and none that was kept long enough', async () => {
      await store.addPull(pull);
      expect(await store.queuedPull({ ...pull, device: 'plant-8' }, 0)).toBeUndefined();
      expect(await store.queuedPull({ ...pull, id: sampleId(9) }, 0)).toBeUndefined();
      expect(await store.queuedPull(pull, pull.keptUntil)).toBeUndefined();
    });

    it('takes the same again as once, and no other under its id', async () => {
      await store.addPull(pull);
      await store.addPull(pull);
      await expect(store.addPull({ ...pull, owner: 'key-2' })).rejects.toMatchObject({
        code: 'conflict',
      });
    });

    it('marks it as sent once, whoever tries', async () => {
      await store.addPull(pull);
      const marks = await Promise.all([
        store.markSent(pull, sending),
        store.markSent(pull, other),
        store.markSent(pull, { ...sending, sentAs: sampleId(1, 3) }),
      ]);
      expect(marks.filter(Boolean)).toHaveLength(1);
      const sent = await now();
      expect(sent).toMatchObject({ state: 'sent', sends: 1 });
      // A mark whose answer was lost, and is made again.
      if (sent?.sending) expect(await store.markSent(pull, sent.sending)).toBe(true);
      expect((await now())?.sends).toBe(1);
    });

    it('takes back only the sending that is out', async () => {
      await store.addPull(pull);
      await store.markSent(pull, sending);
      expect(await store.takeBack(pull, other.sentAs)).toBe(false);
      expect(await store.takeBack(pull, sending.sentAs)).toBe(true);
      expect(await now()).toEqual({ ...pull, sends: 1 });
      await store.markSent({ ...pull, sends: 1 }, other);
      expect(await store.takeBack(pull, sending.sentAs)).toBe(false);
      expect(await now()).toMatchObject({ state: 'sent', sends: 2, sending: other });
    });

    it('has each range of a body undertaken once, in order, and by the sending that is out', async () => {
      const large = { ...pull, body: new Uint8Array(0), besideBytes: 100 };
      await store.addPull(large);
      const undertake = (from: number, to: number, sentAs = sending.sentAs) =>
        store.undertakeBody(pull, sentAs, { from, to });
      expect(await undertake(0, 50)).toBe(false);
      await store.markSent(large, sending);
      const tries = await Promise.all([undertake(0, 50), undertake(0, 60), undertake(0, 70)]);
      expect(tries.filter(Boolean)).toHaveLength(1);
      const sent = (await now())?.sending?.bodySent ?? 0;
      expect(await undertake(0, 80)).toBe(false);
      expect(await undertake(sent, 80, other.sentAs)).toBe(false);
      expect(await undertake(sent, 80)).toBe(true);
      await store.takeBack(pull, sending.sentAs);
      expect(await undertake(80, 100)).toBe(false);
      expect(await now()).toEqual({ ...large, sends: 1 });
      await store.markSent({ ...large, sends: 1 }, other);
      expect(await undertake(0, 100, other.sentAs)).toBe(true);
      await store.endPull(pull, { sentAs: other.sentAs }, failed, 9_000);
      expect((await now())?.besideBytes).toBeUndefined();
    });

    it('ends a pull once, and drops its request then', async () => {
      await store.addPull(pull);
      await store.markSent(pull, sending);
      expect(await store.endPull(pull, 'queued', failed, 9_000)).toBe(false);
      expect(await store.endPull(pull, { sentAs: other.sentAs }, failed, 9_000)).toBe(false);
      expect(await store.endPull(pull, { sentAs: sending.sentAs }, done, 9_000)).toBe(true);
      expect(await store.endPull(pull, { sentAs: sending.sentAs }, failed, 9_000)).toBe(false);
      expect(await now()).toEqual({
        ...pull,
        state: 'done',
        sends: 1,
        sending,
        headers: [],
        body: new Uint8Array(0),
        end: done,
        keptUntil: 9_000,
      });
    });

    it('never sends what has ended, nor puts it back', async () => {
      await store.addPull(pull);
      expect(await store.endPull(pull, 'queued', failed, 9_000)).toBe(true);
      expect(await store.markSent(pull, sending)).toBe(false);
      expect(await store.takeBack(pull, sending.sentAs)).toBe(false);
      expect((await now())?.end).toEqual(failed);
    });

    it('changes nothing where there is no such pull', async () => {
      expect(await store.markSent(pull, sending)).toBe(false);
      expect(await store.takeBack(pull, sending.sentAs)).toBe(false);
      expect(await store.endPull(pull, 'queued', failed, 9_000)).toBe(false);
      expect(await now()).toBeUndefined();
    });

    it('lists what is open of a device in the order of queuing', async () => {
      const times = [9, 70_000, 3, 256, 65_536];
      for (const queuedAt of times) await store.addPull(queuedPull({ queuedAt }));
      await store.addPull(queuedPull({ queuedAt: 4, device: 'plant-8' }));
      const [first, second] = [queuedPull({ queuedAt: 3 }), queuedPull({ queuedAt: 9 })];
      await store.endPull(first, 'queued', failed, 9_000);
      await store.markSent(second, sending);
      const open = await store.openPulls('plant-7', 10);
      expect(open.map(({ queuedAt }) => queuedAt)).toEqual([9, 256, 65_536, 70_000]);
      expect(open.map(({ state }) => state)).toEqual(['sent', 'queued', 'queued', 'queued']);
      expect(await store.openPulls('plant-7', 2)).toHaveLength(2);
    });

    it('counts what is open of an owner, up to a bound, and tells whose devices those are', async () => {
      for (const queuedAt of [1, 2, 3]) {
        await store.addPull(queuedPull({ queuedAt, device: `plant-${queuedAt}` }));
      }
      const theirs = queuedPull({ queuedAt: 4, device: 'plant-4', owner: 'issuer|a#~b' });
      await store.addPull(theirs);
      await store.endPull(queuedPull({ queuedAt: 1, device: 'plant-1' }), 'queued', failed, 9_000);
      expect(await store.countOpen('key-1', 10)).toBe(2);
      expect(await store.countOpen('key-1', 1)).toBe(1);
      expect(await store.countOpen('issuer|a#~b', 10)).toBe(1);
      expect(await store.openDevices()).toEqual(new Set(['plant-2', 'plant-3', 'plant-4']));
    });

    it('knows of a reply that it lies beside the table', async () => {
      const beside: PullEnd = { ...done, reply: { status: 200, bytes: 9, beside: true } };
      await store.addPull(pull);
      await store.markSent(pull, sending);
      await store.endPull(pull, { sentAs: sending.sentAs }, beside, 9_000);
      expect((await now())?.end).toEqual(beside);
    });

    it('keeps frames in their order, each once', async () => {
      const common = { pullId: sending.sentAs, replyTo: '' };
      const head: ReplyFrame = {
        ...common,
        action: 'head',
        seq: 0,
        status: 200,
        reason: 'OK',
        headers: ['A', 'b'],
        timing: { agentMs: 1.5, upstreamMs: 1 },
        end: false,
        body: new Uint8Array([1]),
      };
      const body = (seq: number): ReplyFrame => ({
        ...{ ...common, action: 'body', seq, end: false },
        body: new Uint8Array([seq]),
      });
      const end: ReplyFrame = { ...common, action: 'end', seq: 12 };
      for (const frame of [end, body(11), head, body(2), body(1)]) {
        await store.addFrame(sending.sentAs, frame, 9_000);
      }
      await store.addFrame(sending.sentAs, { ...head, status: 500 }, 9_000);
      expect(await store.frames(sending.sentAs)).toEqual([head, body(1), body(2), body(11), end]);
      expect(await store.frames(other.sentAs)).toEqual([]);
    });

    it('is swept of what was kept long enough, replies too, and of nothing else', async () => {
      const end: ReplyFrame = { pullId: sending.sentAs, replyTo: '', action: 'end', seq: 0 };
      await store.addPull(pull);
      await store.addPull(queuedPull({ queuedAt: 2 }));
      await store.markSent(pull, sending);
      await store.addFrame(sending.sentAs, end, 9_000);
      await store.endPull(pull, { sentAs: sending.sentAs }, done, 9_000);
      expect(await sweep(9_000)).toBe(0);
      expect(await sweep(9_001)).toBe(2);
      expect(await now()).toBeUndefined();
      expect(await store.frames(sending.sentAs)).toEqual([]);
      expect(await store.openPulls('plant-7', 10)).toHaveLength(1);
    });

    it('is swept of a pull whose end nobody wrote, and then counts it no more', async () => {
      const { keptUntil } = pull;
      await store.addPull(pull);
      expect(await sweep(keptUntil)).toBe(0);
      expect(await sweep(keptUntil + 1)).toBe(1);
      expect(await now()).toBeUndefined();
      expect(await store.countOpen(pull.owner, 10)).toBe(0);
    });

    it('is swept over more than one page', async () => {
      const times = Array.from({ length: 45 }, (_, at) => at + 1);
      const end: ReplyFrame = { pullId: sending.sentAs, replyTo: '', action: 'end', seq: 0 };
      for (const queuedAt of times) await store.addPull(queuedPull({ queuedAt }));
      for (const seq of times) await store.addFrame(sending.sentAs, { ...end, seq }, 9_000);
      for (const queuedAt of times.slice(0, 5)) {
        await store.endPull(queuedPull({ queuedAt }), 'queued', failed, 9_000);
      }
      expect(await sweep(9_001)).toBe(50);
      expect(await sweep(pull.keptUntil + 1)).toBe(40);
    });
  });
  queueBodiesContract(name, async () => (await fresh()).store);
  queueUploadsContract(name, fresh);
}
