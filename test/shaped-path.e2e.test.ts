import { afterEach, describe, expect, test } from 'vitest';
import type { LogLine } from './src/program.ts';
import { noNamespaces } from './src/shaped-path.ts';
import { ShapedWorld } from './src/shaped-world.ts';

const long = process.env['PULLWIRE_LONG'] === '1';
const pulls = long ? 10 : 1;
const reason = noNamespaces();
const heartbeat = { intervalMs: 1_000, timeoutMs: 1_000 };
const quick = { loss: 0, bitsPerSecond: 20_000_000, delayMs: 5 };
const isNoLink = (line: LogLine): boolean => line.msg?.startsWith('no link') === true;

let world: ShapedWorld;
afterEach(() => world?.stop());

describe.skipIf(reason !== undefined)(
  `agent and relay in namespaces of their own${reason === undefined ? '' : ` [skipped: ${reason}]`}`,
  () => {
    async function expectWhole(): Promise<void> {
      expect(await world.pull()).toBe('200 1000');
      expect(await world.shown()).toMatchObject({ presence: 'connected' });
    }

    test('an agent whose address is taken away and replaced is back', async () => {
      world = new ShapedWorld();
      await world.start(quick, heartbeat, 1_000);
      await expectWhole();
      const lost = world.agent.line(isNoLink);
      const back = world.agent.line('link open');
      world.path.address('del', '10.231.7.2');
      world.path.address('add', '10.231.7.3');
      await lost;
      await back;
      await expectWhole();
    });

    test('an agent that cannot find the relay by its name for a while is back when it can', async () => {
      world = new ShapedWorld();
      await world.start(quick, heartbeat, 1_000);
      world.path.resolves(false);
      world.path.address('del', '10.231.7.2');
      world.path.address('add', '10.231.7.3');
      const nameless = await world.agent.line(
        (line) => isNoLink(line) && String(line['reason']).includes('getaddrinfo'),
      );
      expect(nameless['reason']).toMatch(/EAI_AGAIN|ENOTFOUND/);
      const back = world.agent.line('link open');
      world.path.resolves(true);
      await back;
      await expectWhole();
    });

    test(`30 % loss at 100 kbit/s: 8 of 10 pulls of 100 KB are whole within 180 s, and no link ends while bytes move; pulls: ${pulls}`, {
      timeout: 60_000 + pulls * 180_000,
    }, async () => {
      world = new ShapedWorld();
      await world.start({ loss: 0.3, bitsPerSecond: 100_000, delayMs: 40 }, undefined, 100_000);
      const from = world.agent.lines.length;
      let whole = 0;
      for (let at = 0; at < pulls; at += 1) {
        const began = performance.now();
        const answer = await world.pull();
        if (answer === '200 100000') whole += 1;
        process.stdout.write(`${answer} in ${Math.round(performance.now() - began)} ms\n`);
      }
      const lost = world.agent.lines.slice(from).filter(isNoLink);
      const stoodStillMs = lost.map(({ time }) =>
        world.path.stoodStillMs('agent', Date.parse(String(time))),
      );
      process.stdout.write(`links lost after so many ms without a byte: ${stoodStillMs}\n`);
      expect(whole).toBeGreaterThanOrEqual(pulls * 0.8);
      // TCP itself, whose packets are lost several times in a row, may stand still for longer than two heartbeats.
      expect(stoodStillMs.filter((ms) => ms < 10_000)).toEqual([]);
    });
  },
);
