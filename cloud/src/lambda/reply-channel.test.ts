import type { ReplyMessage } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { describe, expect, it } from 'vitest';
import { type ChannelSocketEvents, ReplyChannel } from './reply-channel.ts';

const minute = 60_000;

/** A relay that a channel dials: the test says how it answers. */
class Relay {
  readonly clock = new ManualClock();
  readonly sockets: { readonly events: ChannelSocketEvents; sent: string[]; open: boolean }[] = [];
  readonly frames: ReplyMessage[] = [];
  readonly moves: string[] = [];
  readonly ends: string[] = [];
  readonly losses: string[] = [];
  /** Whether a reply is awaited. */
  waits = false;
  refuses: string | undefined;
  /** Whether keep-alives are answered. */
  answers = true;
  readonly channel = new ReplyChannel({
    clock: this.clock,
    dial: async (events) => {
      if (this.refuses !== undefined) throw new Error(this.refuses);
      const id = `c${this.sockets.length + 1}`;
      const socket = { events, sent: [] as string[], open: true };
      this.sockets.push(socket);
      return {
        send: (text) => {
          socket.sent.push(text);
          if (this.answers) {
            queueMicrotask(() => events.text(`{"action":"kept-alive","connectionId":"${id}"}`));
          }
        },
        close: () => {
          socket.open = false;
        },
      };
    },
    received: (message) => this.frames.push(message),
    moved: (connectionId) => this.moves.push(connectionId),
    waiting: () => this.waits,
    lost: (fault) => this.losses.push(fault.code),
    ended: (why) => this.ends.push(why),
  });

  get last() {
    const socket = this.sockets.at(-1);
    if (socket === undefined) throw new Error('nothing was dialled');
    return socket;
  }
}

const frame = '{"action":"end","pullId":"AAECAwQFBgcICQoLDA0ODw","replyTo":"r","seq":1}';

/** Lets promises that are ready go on. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a reply channel', () => {
  it('is dialled once, learns its id, and is kept', async () => {
    const relay = new Relay();
    relay.channel.open();
    expect(await Promise.all([relay.channel.ready(), relay.channel.ready()])).toEqual(['c1', 'c1']);
    relay.clock.advance(7 * minute);
    relay.last.events.text(frame);
    relay.clock.advance(7 * minute);
    expect(await relay.channel.ready()).toBe('c1');
    expect(relay.sockets.length).toBe(1);
    expect(relay.frames.map((message) => message.action)).toEqual(['end']);
  });

  it('takes a new one where the last was silent for 8 minutes, open for 110, or closed', async () => {
    const relay = new Relay();
    await relay.channel.ready();
    relay.clock.advance(8 * minute);
    expect(await relay.channel.ready()).toBe('c2');
    for (let i = 0; i < 55; i += 1) {
      relay.clock.advance(2 * minute);
      relay.last.events.text(frame);
    }
    expect(await relay.channel.ready()).toBe('c3');
    relay.last.events.closed('closed with 1001');
    expect(await relay.channel.ready()).toBe('c4');
    expect(relay.ends).toEqual(['too old', 'too old', 'closed with 1001']);
    expect(relay.sockets.map(({ open }) => open)).toEqual([false, false, false, true]);
  });

  it('is not proved while something was heard lately', async () => {
    const relay = new Relay();
    await relay.channel.ready();
    relay.clock.advance(29_999);
    await relay.channel.prove();
    expect(relay.last.sent.length).toBe(1);
  });

  it('is proved by an echo after 30 s of silence', async () => {
    const relay = new Relay();
    await relay.channel.ready();
    relay.clock.advance(30_000);
    await relay.channel.prove();
    expect(relay.last.sent.length).toBe(2);
    expect([relay.moves, relay.clock.pending]).toEqual([[], 0]);
  });

  it('moves where no echo comes within 300 ms, and hears nothing of the old one any more', async () => {
    const relay = new Relay();
    await relay.channel.ready();
    const old = relay.last;
    relay.clock.advance(15 * minute);
    relay.answers = false;
    const proved = relay.channel.prove();
    relay.answers = true;
    relay.clock.advance(300);
    await proved;
    expect(relay.moves).toEqual(['c2']);
    old.events.text(frame);
    old.events.closed('closed with 1006');
    expect([relay.frames, relay.ends]).toEqual([[], ['no echo']]);
    expect(await relay.channel.ready()).toBe('c2');
  });

  it('moves where the channel closes while an echo is awaited', async () => {
    const relay = new Relay();
    await relay.channel.ready();
    relay.clock.advance(minute);
    relay.answers = false;
    const proved = relay.channel.prove();
    relay.answers = true;
    relay.last.events.closed('closed with 1006');
    relay.clock.advance(300);
    await proved;
    expect(relay.moves).toEqual(['c2']);
  });

  it('that closes while a reply is awaited moves at once, or says that the reply is lost', async () => {
    const relay = new Relay();
    await relay.channel.ready();
    relay.last.events.closed('closed with 1001');
    await turn();
    expect(relay.moves).toEqual([]);
    await relay.channel.ready();
    relay.waits = true;
    relay.last.events.closed('closed with 1001');
    await turn();
    expect(relay.moves).toEqual(['c3']);
    relay.refuses = 'the handshake was answered 429';
    relay.last.events.closed('closed with 1001');
    await turn();
    expect([relay.moves, relay.losses]).toEqual([['c3'], ['channel-unavailable']]);
  });

  it('says what is wrong where it cannot be opened, and does not dial again at once', async () => {
    const relay = new Relay();
    relay.refuses = 'the handshake was answered 401';
    await expect(relay.channel.ready()).rejects.toMatchObject({
      code: 'channel-unavailable',
      message: expect.stringContaining('answered 401'),
    });
    await expect(relay.channel.ready()).rejects.toMatchObject({ code: 'channel-unavailable' });
    expect(relay.channel.counters.dials).toBe(1);
    relay.clock.advance(1_000);
    relay.refuses = undefined;
    expect(await relay.channel.ready()).toBe('c1');
  });

  it('dials once more for whoever waited for a dial that was frozen in the middle', async () => {
    const relay = new Relay();
    relay.answers = false;
    relay.channel.open();
    await turn();
    const ready = relay.channel.ready();
    relay.answers = true;
    relay.clock.advance(15 * minute);
    expect(await ready).toBe('c2');
    expect(relay.channel.counters.dials).toBe(2);
  });

  it('gives up a socket that does not answer its first message', async () => {
    const relay = new Relay();
    relay.answers = false;
    const ready = relay.channel.ready();
    ready.catch(() => undefined);
    await turn();
    relay.clock.advance(5_000);
    await expect(ready).rejects.toMatchObject({ code: 'channel-unavailable' });
    expect(relay.last.open).toBe(false);
  });

  it('counts what it cannot read, such as the gateway’s own words, and goes on', async () => {
    const relay = new Relay();
    await relay.channel.ready();
    relay.last.events.text('{"message":"Internal server error","connectionId":"c1"}');
    relay.last.events.text('not JSON');
    expect(relay.channel.counters.unreadable).toBe(2);
    expect(await relay.channel.ready()).toBe('c1');
  });
});
