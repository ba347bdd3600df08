import { createSecureContext } from 'node:tls';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { beforeEach, describe, expect, it } from 'vitest';
import { type TlsPeer, type TlsSession, TlsSessions } from './tls-sessions.ts';

const hour = 3_600_000;
const peer: TlsPeer = { host: 'relay.example', secureContext: createSecureContext() };
let clock: ManualClock;
let sessions: TlsSessions;

beforeEach(() => {
  clock = new ManualClock();
  clock.skip(1_000 * hour);
  sessions = new TlsSessions(clock);
});

function session(name: string, over: Partial<TlsSession> = {}): TlsSession {
  const checkedAt = clock.wall();
  return { bytes: Buffer.from(name), checkedAt, validTo: checkedAt + 1_000 * hour, ...over };
}

function keep(...names: string[]): void {
  for (const name of names) sessions.keep(peer, session(name));
}

const take = (from = peer): string | undefined => sessions.take(from)?.bytes.toString();

describe('TlsSessions', () => {
  it('gives each one once, the newest first', () => {
    keep('a', 'b');
    expect([take(), take(), take()]).toEqual(['b', 'a', undefined]);
  });

  it('gives one that was used only where there is no other, and until there is a newer one', () => {
    keep('a', 'b');
    sessions.keepUsed(session('c'));
    expect([take(), take()]).toEqual(['b', 'a']);
    expect([take(), take()]).toEqual(['c', undefined]);
    sessions.keepUsed(session('c'));
    keep('d');
    expect([take(), take()]).toEqual(['d', undefined]);
  });

  it('gives none that was used when it has got too old', () => {
    keep('a');
    sessions.keepUsed(session('b'));
    clock.skip(24 * hour);
    expect([take(), take()]).toEqual([undefined, undefined]);
  });

  it('holds the four newest of however many', () => {
    keep(...Array.from({ length: 1_000 }, (_, at) => String(at)));
    expect([take(), take(), take(), take(), take()]).toEqual([
      ...['999', '998', '997', '996'],
      undefined,
    ]);
  });

  it('holds none that is dearer than a handshake', () => {
    keep('a'.repeat(8_192));
    expect(take()).toHaveLength(8_192);
    keep('a'.repeat(8_193));
    expect(take()).toBeUndefined();
  });

  it('gives none a day after the certificates were checked', () => {
    keep('a', 'b');
    clock.skip(24 * hour - 1);
    expect(take()).toBe('b');
    clock.skip(1);
    expect(take()).toBeUndefined();
  });

  it('gives none when a certificate has expired', () => {
    const validTo = clock.wall() + hour;
    sessions.keep(peer, session('a', { validTo }));
    sessions.keep(peer, session('b', { validTo }));
    clock.skip(hour - 1);
    expect(take()).toBe('b');
    clock.skip(1);
    expect(take()).toBeUndefined();
  });

  it('gives none where the clock was set back behind the check', () => {
    sessions.keep(peer, session('a', { checkedAt: clock.wall() + 1 }));
    expect(take()).toBeUndefined();
  });

  it('gives none to another host, nor under other authorities', () => {
    keep('a');
    expect(take({ ...peer, host: 'relay.example:8443' })).toBeUndefined();
    expect(take({ ...peer, secureContext: createSecureContext() })).toBeUndefined();
    expect(take()).toBe('a');
  });

  it('holds those of one peer only', () => {
    keep('a');
    const other = { ...peer, host: 'other.example' };
    sessions.keep(other, session('b'));
    expect(take()).toBeUndefined();
    expect([take(other), take(other)]).toEqual(['b', undefined]);
  });

  it('forgets all', () => {
    keep('a', 'b');
    sessions.forget();
    expect(take()).toBeUndefined();
  });
});
