import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { Checkout } from './src/checkout.ts';
import { CleanMachine, noCleanMachine } from './src/clean-machine.ts';
import { isPortFree, LoneNetwork } from './src/lone-network.ts';
import { Newcomer } from './src/newcomer.ts';
import { readQuickStart } from './src/quick-start.ts';
import type { ToldReading } from './src/reading-stage.ts';
import { Terminal } from './src/terminal.ts';
import { describeWith } from './src/tool.ts';

const repository = fileURLToPath(new URL('..', import.meta.url));
const { before, parts } = readQuickStart(readFileSync(join(repository, 'README.md'), 'utf8'));
const [relayPart = [], devicePart = [], callerPart = []] = parts;
/** "in under 3 minutes" (issue 7). */
const mostSeconds = 180;
/** As fast as people type who do it every day: 60 words of 5 letters a minute. */
const keysPerSecond = 5;
const usualPort = 8_080;
const log = '/var/log/dpkg.log';

// The relay's usual port stands in README, and may be somebody else's on this machine.
const network = LoneNetwork.isPossible() ? new LoneNetwork() : undefined;
beforeAll(() => network?.start());
afterAll(() => network?.stop());

async function noQuickStart(): Promise<readonly string[]> {
  const isTaken = network === undefined && !(await isPortFree(usualPort));
  const reasons = [
    ...(isTaken ? [`something has port ${usualPort}, and as root alone there is another`] : []),
    ...(existsSync(log) ? [] : [`there is no ${log}: this is no Debian`]),
  ];
  if (reasons.length > 0 && process.env['CI'] === 'true') throw new Error(reasons.join('; '));
  return reasons;
}

const titled = (title: string, reasons: readonly string[]) =>
  reasons.length === 0 ? title : `${title} [skipped: ${reasons.join('; ')}]`;

/** All three parts, and the last command again until there is a reading, as one would who came too early. */
async function collect(newcomer: Newcomer): Promise<{ outputs: string[]; reading: ToldReading }> {
  await newcomer.follow(relayPart);
  await newcomer.follow(devicePart);
  const outputs = await newcomer.follow(callerPart);
  let told = outputs.at(-1) ?? '';
  const again = async (): Promise<string> => {
    if (told.includes('"code":"reading-unknown"')) told = await newcomer.again();
    return told;
  };
  const soon = { timeout: mostSeconds * 1_000, interval: 500 };
  await expect.poll(again, soon).toContain('"schedule"');
  return { outputs, reading: JSON.parse(told) as ToldReading };
}

function expectWhatReadmePromises(outputs: readonly string[], reading: ToldReading): void {
  const [key, uptime, lines] = outputs;
  expect(key).toContain('It is shown this once');
  expect(uptime).toMatch(/^ \d\d:\d\d:\d\d up .* load average: .*\n$/);
  expect(lines?.trimEnd().split('\n')).toHaveLength(5);
  expect(reading).toMatchObject({ schedule: 'uptime-10s', source: 'uptime', status: 200 });
  expect(reading.body).toMatch(/ load average: /);
}

/** Prints how long it took, and how long it takes somebody who types each key. */
function expectInTime(newcomer: Newcomer, begun: number): void {
  const seconds = (performance.now() - begun) / 1_000;
  const typing = newcomer.typed / keysPerSecond;
  process.stdout.write(
    `quick start: first reading ${seconds.toFixed(1)} s after the first command; ${newcomer.typed} keys, ${typing.toFixed(0)} s of typing\n`,
  );
  expect(seconds).toBeLessThan(mostSeconds);
}

const reasons = await noQuickStart();

describeWith(['curl'], titled("README's quick start", reasons), () => {
  describe.skipIf(reasons.length > 0)('as it stands', () => {
    let checkout: Checkout;
    let newcomer: Newcomer;

    beforeEach(() => {
      checkout = new Checkout();
      const env = { PATH: process.env['PATH'] ?? '', HOME: checkout.home, LANG: 'C.UTF-8' };
      const within = network?.within ?? [];
      newcomer = new Newcomer(() => new Terminal({ cwd: checkout.path, env, within }));
    });
    afterEach(async () => {
      await newcomer.stop();
      checkout.remove();
    });

    test('leads from nothing to the first reading', { timeout: 240_000 }, async () => {
      const begun = performance.now();
      const { outputs, reading } = await collect(newcomer);
      expectInTime(newcomer, begun);
      expectWhatReadmePromises(outputs, reading);

      const [, device] = newcomer.terminals;
      expect(device?.shown).toContain('Enrolled as plant-7');
      await device?.stop();
      const last = JSON.parse(await newcomer.again()) as ToldReading;
      expect(Date.parse(last.at)).toBeGreaterThanOrEqual(Date.parse(reading.at));
    });

    test('who forgets to enrol is told how', async () => {
      const terminal = newcomer.openTerminal();
      const [writes = '', , , runs = ''] = devicePart;
      await newcomer.type(terminal, writes);
      const { code, output } = await terminal.run(runs);
      expect(code).toBe(2);
      expect(output).toContain('pullwire-agent enroll --relay URL --code CODE');
      expect(output).toContain('pullwire-relay enroll-code');
    });

    test('who forgets the relay is told, and can go on with the same code', async () => {
      const terminal = newcomer.openTerminal();
      const [writes = '', makesCode = '', enrols = ''] = devicePart;
      for (const command of [writes, makesCode]) await newcomer.type(terminal, command);
      const refused = await newcomer.type(terminal, enrols);
      expect([refused?.code, refused?.output]).toEqual([
        1,
        expect.stringMatching(/nothing listens there: does the relay run.*try again with the same/),
      ]);
      await newcomer.follow(relayPart);
      const enrolled = await newcomer.type(terminal, enrols);
      expect([enrolled?.code, enrolled?.output]).toEqual([
        0,
        expect.stringMatching(/\. Now run\n {2}pullwire-agent run --config \//),
      ]);
    });
  });
});

const longReasons = [
  ...noCleanMachine(),
  ...(network === undefined ? ['network namespaces cannot be made here'] : []),
];

describeWith(
  ['mmdebstrap', 'unshare'],
  titled("README's quick start on a clean machine", longReasons),
  () => {
    describe.skipIf(longReasons.length > 0).each([
      ['bookworm', /^v18\./],
      ['trixie', /^v20\./],
    ])('that is Debian %s and has its Node', (release, node) => {
      const machine = new CleanMachine();
      let newcomer: Newcomer;
      beforeAll(() => machine.prepare(release), 900_000);
      afterAll(async () => {
        await newcomer?.stop();
        machine.remove();
      });

      test('leads from nothing to the first reading', { timeout: 600_000 }, async () => {
        const begun = performance.now();
        newcomer = new Newcomer(() => machine.terminal('checkout', network?.within));
        const first = machine.terminal('home');
        newcomer.terminals.push(first);
        await newcomer.typeToEnd(first, machine.clone);
        await newcomer.typeToEnd(first, 'cd pullwire');
        await newcomer.typeToEnd(first, before);
        const { outputs, reading } = await collect(newcomer);
        expectInTime(newcomer, begun);
        expectWhatReadmePromises(outputs, reading);
        expect((await first.run('node --version')).output).toMatch(node);
      });
    });
  },
);
