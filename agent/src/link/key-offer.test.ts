import type { AgentMessage } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { KeyOffer } from './key-offer.ts';

const publicKey = `ed25519:${'B'.repeat(42)}A`;

let clock: ManualClock;
let offer: KeyOffer;
let made: number;
let sent: AgentMessage[];
const link = { control: (message: AgentMessage) => sent.push(message) };

beforeEach(() => {
  clock = new ManualClock();
  made = 0;
  sent = [];
  offer = new KeyOffer({
    keys: {
      refused: () => {},
      linked: async () => {},
      confirmed: () => {},
      next: async () => {
        made += 1;
        return { publicKey, proof: 'p' };
      },
    },
    device: 'plant-7',
    clock,
    logger: pino({ level: 'silent' }),
  });
});

/** Lets what has been resolved go on. */
const turn = (): Promise<void> => new Promise(setImmediate);

describe('an offer of the next key', () => {
  it('is made at most once a minute, however often the relay asks', async () => {
    for (let asked = 0; asked < 1_000; asked += 1) {
      offer.wished(link);
      if (asked % 100 === 0) await turn();
    }
    expect(sent).toHaveLength(1);
    clock.advance(59_999);
    await turn();
    expect(made).toBe(1);
    clock.advance(1);
    await turn();
    expect(made).toBe(2);
    expect(clock.pending).toBe(0);
  });

  it('is not made for a link that is gone, and leaves no timer', async () => {
    offer.wished(link);
    await turn();
    offer.wished(link);
    offer.lost();
    expect(clock.pending).toBe(0);
    // The next link does not come any earlier.
    offer.wished(link);
    await turn();
    expect(made).toBe(1);
  });
});
