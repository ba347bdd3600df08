import { createServer } from 'node:https';
import { createSecureContext } from 'node:tls';
import { systemClock } from '@pullwire/shared';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PullReceiver } from '../pull/pull-link.ts';
import { AgentLink, type AgentLinkOptions, type FinalRefusal } from './agent-link.ts';
import { DatedCertificates } from './dated-certificates.ts';
import { FakeRelay, plainHello, type RelayEnd } from './fake-relay.ts';
import type { LinkKeys, NextKey } from './link-keys.ts';
import { plainPace } from './plain-pace.ts';

const hello = { ...plainHello, features: ['rotate'] };
const k2 = `ed25519:${'B'.repeat(42)}A`;
const k3 = `ed25519:${'C'.repeat(42)}A`;
const hourMs = 3_600_000;

const noPulls: PullReceiver = {
  inFlight: 0,
  inFlightOn: () => 0,
  receive: () => {},
  room: () => {},
  lost: () => {},
  drain: () => Promise.resolve(),
};

/** Keys that write down what they are told. */
class Keys implements LinkKeys {
  readonly told: string[] = [];
  next: (device: string) => Promise<NextKey> = async (device) => {
    this.told.push(`next for ${device}`);
    return { publicKey: k2, proof: 'p' };
  };
  refused(): void {
    this.told.push('refused');
  }
  async linked(): Promise<void> {
    this.told.push('linked');
  }
  confirmed(publicKey: string): void {
    this.told.push(`confirmed ${publicKey}`);
  }
}

let relay: FakeRelay;
let agent: AgentLink;
let keys: Keys;
/** How far ahead of this device each token was signed. */
let offsets: number[];
let logged: Record<string, unknown>[];
let onLog: () => void;
let final: PromiseWithResolvers<FinalRefusal>;

beforeEach(async () => {
  relay = new FakeRelay();
  await relay.start();
  keys = new Keys();
  offsets = [];
  logged = [];
  onLog = () => {};
  final = Promise.withResolvers();
});

afterEach(async () => {
  await agent.stop();
  await relay.stop();
});

function start(over: Partial<AgentLinkOptions> = {}): void {
  agent = new AgentLink({
    url: relay.url,
    subprotocols: ['pullwire.v1+json'],
    hello,
    receiver: noPulls,
    dial: async (now) => {
      offsets.push(now - Date.now());
      return { headers: {} };
    },
    keys,
    redial: { baseMs: 1, capMs: 1, stableMs: 30_000 },
    pace: plainPace({ minMs: 1, maxMs: 600_000 }),
    limits: { handshakeMs: 5_000, welcomeMs: 5_000, drainMs: 5_000, closeMs: 500 },
    clock: systemClock,
    random: () => 0,
    newRun: () => 'run-of-16-letters',
    logger: pino(
      { level: 'debug' },
      {
        write: (line) => {
          logged.push(JSON.parse(line));
          onLog();
        },
      },
    ),
    onFinal: final.resolve,
    ...over,
  });
  agent.start();
}

function lines(text: string): Record<string, unknown>[] {
  return logged.filter(({ msg }) => String(msg).includes(text));
}

/** The first `count` lines whose message holds this text, now or later. */
async function logLines(text: string, count = 1): Promise<Record<string, unknown>[]> {
  while (lines(text).length < count) {
    await new Promise<void>((resolve) => {
      onLog = resolve;
    });
  }
  return lines(text);
}

function dateHeader(aheadMs: number): { readonly date: string } {
  return { date: new Date(Date.now() + aheadMs).toUTCString() };
}

describe('the relay’s time', () => {
  it.each([-12, 12])(
    '%i h away is learnt from a 401, and the next token is of that time, at once',
    async (hours) => {
      relay.refusals.push({ status: 401, headers: dateHeader(hours * hourMs) });
      start();
      await relay.welcome();
      expect(Math.abs((offsets[1] ?? 0) - hours * hourMs)).toBeLessThan(1_500);
      const [line] = await logLines('clock is wrong');
      expect(Math.abs(Number(line?.clockAheadMs) + hours * hourMs)).toBeLessThan(1_500);
      expect((await logLines('at once'))[0]).toMatchObject({ waitMs: 50, attempt: 0 });
    },
  );

  it('is learnt from a 101 and from other refusals, and the log says it once', async () => {
    relay.refusals.push({ status: 503, headers: dateHeader(hourMs) });
    relay.acceptHeaders.push(`date: ${dateHeader(2 * hourMs).date}`);
    start();
    (await relay.welcome()).ws.terminate();
    await relay.welcome();
    expect(offsets.map((offset) => Math.round(offset / hourMs))).toEqual([0, 1, 2]);
    expect(lines('clock is wrong')).toHaveLength(1);
  });

  it('where it is ours, the first 401 is followed at once: the relay may have restarted', async () => {
    relay.refusals.push({ status: 401, headers: dateHeader(0) });
    start();
    await relay.welcome();
    expect(lines('clock is wrong')).toEqual([]);
    // The clock explains nothing, so that it may be the key.
    expect(keys.told).toEqual(['refused']);
  });

  it('is followed once at once, then rarely', async () => {
    relay.refusals.push({ status: 401, headers: dateHeader(hourMs) });
    relay.refusals.push({ status: 401, headers: dateHeader(-hourMs) });
    start();
    const [line] = await logLines('does not accept the token');
    expect(line).toMatchObject({ status: 401, waitMs: 30_000 });
    expect(relay.requests).toHaveLength(2);
    expect(keys.told).toEqual(['refused']);
  });

  it('that is not told leads to no dial at once', async () => {
    relay.refusals.push({ status: 401 });
    start();
    await logLines('does not accept the token');
    expect(relay.requests).toHaveLength(1);
  });

  it('is followed no earlier than Retry-After says', async () => {
    relay.refusals.push({ status: 401, headers: { ...dateHeader(hourMs), 'retry-after': '20' } });
    start();
    expect((await logLines('at once'))[0]).toMatchObject({ waitMs: 20_050 });
  });
});

describe('a rotation', () => {
  async function linked(): Promise<RelayEnd> {
    const link = await relay.welcome({ features: ['rotate'] });
    await logLines('link open');
    return link;
  }

  it('offers the next key, hears that it is noted, and the link goes on', async () => {
    start();
    const link = await linked();
    link.send({ action: 'rotate' });
    expect(await link.next('rotate')).toEqual({ action: 'rotate', publicKey: k2, proof: 'p' });
    link.send({ action: 'rotated', publicKey: k2 });
    await logLines('noted the next key');
    expect(keys.told).toEqual(['linked', 'next for plant-7', `confirmed ${k2}`]);
    expect(agent.state).toBe('open');
    expect(relay.requests).toHaveLength(1);
  });

  it('that the relay refuses changes nothing', async () => {
    start();
    const link = await linked();
    link.send({ action: 'rotate' });
    await link.next('rotate');
    link.send({ action: 'rotated', publicKey: k3 });
    link.send({ action: 'rotated', publicKey: k2, refused: 'other-instances' });
    expect((await logLines('refused the next key'))[0]).toMatchObject({
      refused: 'other-instances',
    });
    // An answer is taken once.
    link.send({ action: 'rotated', publicKey: k2 });
    link.send({ action: 'drain', withinMs: 1 });
    await logLines('will close this link');
    expect(keys.told).toEqual(['linked', 'next for plant-7']);
    expect(agent.state).toBe('draining');
  });

  it('is not for a relay that did not announce it', async () => {
    start();
    const link = await relay.welcome();
    link.send({ action: 'rotate' });
    link.send({ action: 'rotated', publicKey: k2 });
    link.send({ action: 'drain', withinMs: 1 });
    await logLines('will close this link');
    expect(agent.snapshot().counters.ignored).toBe(2);
    expect(keys.told).toEqual(['linked']);
  });

  it('before welcome ends the link', async () => {
    start();
    const link = await relay.link();
    await link.next('hello');
    link.send({ action: 'rotate' });
    expect(await link.next('bye')).toMatchObject({ code: 'protocol-error' });
  });

  it('whose key cannot be kept is not offered', async () => {
    keys.next = () => Promise.reject(new Error('the disk is full'));
    start();
    const link = await linked();
    link.send({ action: 'rotate' });
    await logLines('none can be made');
    expect(agent.state).toBe('open');
  });
});

describe('the end for good', () => {
  it('says what, by whom, the relay’s words and what to do', async () => {
    start();
    const link = await relay.welcome();
    link.send({ action: 'bye', code: 'revoked', reason: 'stolen on Tuesday' });
    const { text, exitCode } = await final.promise;
    expect(text).toBe(
      `The device plant-7 was revoked, by the relay at 127.0.0.1:${relay.port} (bye revoked). ` +
        'The relay says: "stolen on Tuesday". Only an operator of the relay lets it in again: ask for a new ' +
        'enrolment code (pullwire-relay enroll-code --device plant-7 --replace) and run: pullwire-agent enroll.',
    );
    expect(exitCode).toBe(77);
    expect(agent.lastTrouble).toBe(text);
  });

  it('repeats no control characters of a refusal', async () => {
    const body = JSON.stringify({ detail: 'a\u001b[2J\r\nb' });
    relay.refusals.push({ status: 403, headers: { 'pullwire-answered-by': 'relay' }, body });
    start();
    const { text } = await final.promise;
    expect(text).toContain('(the relay answered 403). The relay says: "a [2J b". Only');
  });

  it.each([
    ['unsupported-version', 'update the older of the two'],
    ['device-mismatch', 'correct the settings'],
  ])('by bye %s says: %s', async (code, cure) => {
    start();
    (await relay.welcome()).bye(code);
    expect((await final.promise).text).toContain(cure);
  });
});

describe('the last trouble', () => {
  it('is none while all is well', async () => {
    relay.refusals.push({ status: 503 });
    start();
    const link = await relay.welcome();
    await logLines('link open');
    expect(agent.lastTrouble).toBeUndefined();
    link.bye('internal-error');
    await relay.link();
    expect(agent.lastTrouble).toBe('bye internal-error');
  });

  it('says why there never was a link, also when it is stopped', async () => {
    relay.refusals.push({ status: 401, body: '{"detail":"no such device"}' });
    start();
    await logLines('does not accept the token');
    await agent.stop();
    expect(agent.lastTrouble).toBe(
      'the relay answered 401 ("no such device"); the relay does not accept the token: ' +
        'is this device enrolled there, with this key?',
    );
  });
});

describe('a relay whose certificate has expired', () => {
  it('is dialled rarely, and the log and the last trouble name both dates', async () => {
    const certificates = new DatedCertificates();
    await certificates.start();
    const [from, to] = [Date.UTC(2020, 0, 1), Date.UTC(2021, 0, 1)];
    const { cert, key } = await certificates.make('old', { from, to });
    await certificates.stop();
    await relay.stop();
    relay = new FakeRelay(undefined, createServer({ cert, key }));
    await relay.start();
    const secureContext = createSecureContext({ ca: cert });
    const dial = async () => ({ headers: {}, secureContext });
    start({ url: `wss://localhost:${relay.port}/link`, dial });
    const [line] = await logLines('no link');
    expect(line).toMatchObject({ waitMs: 30_000 });
    expect(line?.reason).toContain('(valid from 2020-01-01T00:00:00Z to 2021-01-01T00:00:00Z)');
    expect(line?.reason).toContain(`clock says ${new Date().toISOString().slice(0, 10)}`);
    expect(agent.lastTrouble).toBe(line?.reason);
  });
});

describe('a relay that has enough', () => {
  it('is dialled rarely after bye too-many-messages', async () => {
    start();
    (await relay.welcome()).bye('too-many-messages');
    const [line] = await logLines('far more messages than pulls need');
    expect(line).toMatchObject({ waitMs: 30_000 });
  });

  it('is dialled after a 429 no earlier than it says', async () => {
    relay.refusals.push({ status: 429, headers: { 'retry-after': '60', ...dateHeader(0) } });
    start();
    const [line] = await logLines('too many attempts');
    expect(line).toMatchObject({ status: 429, waitMs: 60_100 });
  });
});
