import type { Check, Finding } from './check.ts';

const pings = 3;
/** Milliseconds; over this people notice in each pull. */
const slowMs = 1_000;

/** How long the relay takes to answer over the connection that the handshake opened. */
export const roundTripCheck: Check = {
  component: 'round-trip',
  needs: ['authentication', 'websocket', 'config'],
  limitMs: 15_000,
  target: (patient) => (patient.hasConfig ? patient.relay.host : 'relay'),
  run: async ({ handshake, relay }) => {
    const target = relay.host;
    if (handshake === undefined) throw new Error('no handshake was tried');
    if (handshake.answer === 'open') {
      const times: number[] = [];
      for (let i = 0; i < pings; i += 1) times.push(await handshake.ping());
      return [judged(target, Math.min(...times), `the shortest of ${pings} pings`)];
    }
    const { answeredAfterMs } = handshake;
    if (answeredAfterMs === undefined) {
      return [{ target, state: 'skipped', details: 'the answer did not tell when it was made' }];
    }
    return [judged(target, answeredAfterMs, 'the handshake’s answer, with the relay’s work in it')];
  },
};

function judged(target: string, ms: number, what: string): Finding {
  const details = `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms (${what})`;
  if (ms <= slowMs) return { target, state: 'ok', details };
  const advice =
    'each pull takes at least that long: see to the signal or the load of this device’s network';
  return { target, state: 'warning', details, advice };
}
