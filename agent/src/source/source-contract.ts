import { readdirSync } from 'node:fs';
import type { ErrorCode, Stage } from '@pullwire/shared';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { RecordingReply } from '../../test/source/recording-reply.ts';
import type { Source, SourceRequest } from './source.ts';

/** A source with something behind it, as the contract needs it. */
export interface ContractSubject {
  readonly source: Source;
  /** A short reply with status 200, and its body. */
  readonly small: SourceRequest;
  readonly smallBody: string;
  /** A reply of this many bytes: more than all buffers on the way hold. */
  readonly large: SourceRequest;
  readonly largeBytes: number;
  readonly failures: readonly {
    readonly what: string;
    readonly request: SourceRequest;
    readonly code: ErrorCode;
    readonly stage: Stage;
    readonly hasHead?: boolean;
  }[];
  /** Requests that make no sense to this kind: refused or answered, never thrown. */
  readonly odd: readonly SourceRequest[];
  /** Sockets, files and processes that pulls under way hold at their other end. */
  held(): number;
  /** Bytes of the large reply that were produced so far, where the other end knows. */
  produced?(): number;
  close(): Promise<void>;
}

/** More than this is not buffered for a reply that has no room, on our side of the upstream. */
const bufferedAtMost = 512 * 1024;

/** What every kind of source holds to: one suite, run against each of them. */
export function describeSource(kind: string, open: () => Promise<ContractSubject>): void {
  describe(`${kind}: the contract of a source`, () => {
    let subject: ContractSubject;
    const replies: RecordingReply[] = [];

    beforeAll(async () => {
      subject = await open();
    });

    afterAll(async () => {
      await subject.source.close();
      await subject.close();
      expect(replies.flatMap((reply) => reply.violations)).toEqual([]);
    });

    function pull(request: SourceRequest) {
      const reply = new RecordingReply();
      replies.push(reply);
      const run = subject.source.open(request, reply);
      return { reply, run };
    }

    async function pullSmall(): Promise<RecordingReply> {
      return pull(subject.small).reply.over();
    }

    /** A large pull of which some came, and whose writer has no room. */
    async function pullHeld() {
      const held = pull(subject.large);
      held.reply.hasRoom = false;
      held.reply.keepsChunks = false;
      await held.reply.until((reply) => reply.bytes > 0);
      return held;
    }

    it('gives head, body and end, in this order', async () => {
      const reply = await pullSmall();
      expect(reply).toMatchObject({ status: 200, fault: undefined, text: subject.smallBody });
      expect(reply.values('content-type')).toHaveLength(1);
    });

    it('gives a HEAD the head of a GET and no body', async () => {
      const get = await pullSmall();
      const head = await pull({ ...subject.small, method: 'HEAD' }).reply.over();
      expect(head).toMatchObject({ status: 200, fault: undefined, bytes: 0 });
      expect(head.values('content-type')).toEqual(get.values('content-type'));
      expect(head.values('content-length')).toEqual([String(subject.smallBody.length)]);
    });

    it('gives a large body whole', async () => {
      const { reply } = pull(subject.large);
      reply.keepsChunks = false;
      await reply.over();
      expect(reply).toMatchObject({ status: 200, fault: undefined, bytes: subject.largeBytes });
    });

    it('holds while there is no room, without buffering, and other pulls go on', async () => {
      const { reply, run } = await pullHeld();
      const before = reply.bytes;
      for (let i = 0; i < 10; i += 1) await pullSmall();
      expect(reply.bytes - before).toBeLessThan(bufferedAtMost);
      expect(subject.produced?.() ?? 0).toBeLessThan(subject.largeBytes);
      expect(reply.isOver).toBe(false);
      run.cancel();
    });

    it('goes on where it held, as often as it held', async () => {
      const { reply, run } = await pullHeld();
      for (let step = 0; step < 20; step += 1) {
        const before = reply.bytes;
        run.resume();
        await reply.until(({ bytes, isOver }) => bytes > before || isOver);
      }
      reply.hasRoom = true;
      run.resume();
      run.resume();
      await reply.over();
      expect(reply).toMatchObject({ fault: undefined, bytes: subject.largeBytes });
    });

    it('frees everything on cancel, says nothing more, and can be cancelled again', async () => {
      await vi.waitFor(() => expect(subject.held()).toBe(0));
      const files = openFiles();
      const held = await Promise.all([pullHeld(), pullHeld(), pullHeld()]);
      expect(subject.held()).toBe(3);
      const said = held.map(({ reply }) => reply.bytes);
      for (const { run } of held) run.cancel();
      await vi.waitFor(() => expect(subject.held()).toBe(0));
      await vi.waitFor(() => expect(openFiles()).toBeLessThanOrEqual(files));
      for (const { run } of held) {
        run.resume();
        run.cancel();
      }
      await pullSmall();
      expect(held.map(({ reply }) => reply.bytes)).toEqual(said);
      expect(held.map(({ reply }) => reply.isOver)).toEqual([false, false, false]);
    });

    it('frees everything when it is cancelled at once', async () => {
      const pulls = Array.from({ length: 5 }, () => pull(subject.large));
      for (const { run } of pulls) run.cancel();
      await pullSmall();
      await vi.waitFor(() => expect(subject.held()).toBe(0));
      expect(pulls.map(({ reply }) => reply.isOver || reply.bytes > 0)).not.toContain(true);
    });

    it('takes resume and cancel after the end as nothing', async () => {
      const { reply, run } = pull(subject.small);
      await reply.over();
      run.resume();
      run.cancel();
      run.cancel();
      expect((await pullSmall()).text).toBe(subject.smallBody);
    });

    it('turns each failure into its fault', async () => {
      for (const { what, request, code, stage, hasHead = false } of subject.failures) {
        const reply = await pull(request).reply.over();
        expect(reply.fault, what).toMatchObject({ code, stage });
        expect(reply.status !== undefined, what).toBe(hasHead);
        expect(reply.fault?.message, what).toMatch(/^.{10,500}$/);
      }
    });

    it('never throws from open, whatever is asked', async () => {
      for (const request of subject.odd) {
        await expect(pull(request).reply.over()).resolves.toBeDefined();
      }
    });

    it('holds nothing once every pull is over', async () => {
      for (const request of [subject.small, subject.large]) {
        const { reply } = pull(request);
        reply.keepsChunks = false;
        await reply.over();
      }
      await vi.waitFor(() => expect(subject.held()).toBe(0));
    });
  });
}

const openFiles = (): number => readdirSync('/proc/self/fd').length;
