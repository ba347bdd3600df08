import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import type { LogLine, Program } from './src/program.ts';
import { noSmallDisk, SmallDisk } from './src/small-disk.ts';
import { World } from './src/world.ts';

/** What a spool does to an agent as it ships, while its relay can store no readings: it fills, and pulls must go on. */
let world: World;
let disk: SmallDisk | undefined;

afterEach(async () => {
  await world.stop();
  disk?.unmount();
  disk = undefined;
});

interface SpoolState {
  readonly depth: number;
  readonly taken: number;
  readonly unwritten: number;
  readonly trouble?: string;
  readonly dropped: { readonly full: number; readonly unwritten: number };
}

/** An agent that collects a file of so many bytes each second; resolves when it is linked. */
async function start(spool: object, bytes = 10): Promise<World> {
  const made = await World.start({ sources: {} });
  writeFileSync(join(made.folder, 'collected.txt'), 'x'.repeat(bytes));
  const sources = { own: { kind: 'file', root: made.folder, allow: [{ paths: ['/**'] }] } };
  const collect = { source: 'own', path: '/collected.txt', cron: '* * * * * *', maxBytes: '1MiB' };
  await made.agent.stop();
  storeNothing(made);
  made.writeAgentConfig(sources, { schedules: { collect }, spool });
  await made.startAgent();
  return made;
}

/** Bodies of readings that are too large for the registry have no folder any more. */
function storeNothing({ dataFolder }: World): void {
  const folder = join(dataFolder, 'readings');
  rmSync(folder, { recursive: true, force: true });
  writeFileSync(folder, '');
}

/** The first state from now on that is as asked; it is asked for with a signal. */
async function state(agent: Program, isSo: (spool: SpoolState) => boolean): Promise<SpoolState> {
  for (;;) {
    const from = agent.lines.length;
    agent.signal('SIGUSR2');
    const line: LogLine = await agent.line('snapshot', from);
    const { spool } = line['readings'] as { spool: SpoolState };
    if (isSo(spool)) return spool;
    // A line a second comes by itself: that of the schedule's pull.
    await agent.line('pull', agent.lines.length);
  }
}

const pulled = async (): Promise<string> => {
  const answer = await world.pull('own', '/collected.txt');
  return `${answer.status} ${(await answer.text()).length}`;
};

describe('an agent whose spool', () => {
  it('is full drops the oldest, says so, and answers pulls', async () => {
    world = await start({ maxBytes: '1MiB' }, 400_000);
    const spool = await state(world.agent, ({ dropped }) => dropped.full >= 2);
    expect(spool).toMatchObject({ depth: 2, dropped: { unwritten: 0 } });
    expect(spool.taken).toBe(spool.depth + spool.dropped.full);
    expect(await pulled()).toBe('200 400000');
    expect(world.agent.lines.some(({ msg }) => msg?.startsWith('the oldest readings'))).toBe(true);
  });

  it('is damaged moves it aside, says so, and takes readings in a new one', async () => {
    world = await start({});
    await state(world.agent, ({ taken }) => taken >= 1);
    await world.agent.stop();
    writeFileSync(
      join(world.folder, 'spool.db'),
      'no database, but long enough for one. '.repeat(999),
    );
    const agent = world.runAgent();
    const line = await agent.line(
      'the spool was damaged: it was moved aside and a new one begun; readings that waited in it are not sent',
      0,
    );
    const moved = readdirSync(world.folder).filter((file) => file.includes('.damaged-'));
    expect(moved.map((file) => join(world.folder, file))).toContain(line['movedTo']);
    await agent.line('link open', 0);
    expect(await state(agent, ({ taken }) => taken >= 2)).toMatchObject({ dropped: { full: 0 } });
    expect(await pulled()).toBe('200 10');
  });
});

const title = noSmallDisk === undefined ? '' : ` (skipped: ${noSmallDisk})`;
describe.skipIf(noSmallDisk !== undefined)(`a spool on a full disk${title}`, () => {
  it('gives the place of its oldest readings to new ones, or holds these in memory, and pulls go on', async () => {
    disk = SmallDisk.mount(8);
    world = await start({ path: join(disk.path, 'spool.db') }, 100_000);
    await state(world.agent, ({ taken }) => taken >= 4);
    disk.fill();
    const full = await state(world.agent, (spool) => spool.dropped.full > 0 || spool.unwritten > 0);
    expect(await pulled()).toBe('200 100000');
    const said = world.agent.lines.filter(({ msg }) =>
      /^the oldest readings|^the spool cannot be used/.test(msg ?? ''),
    );
    expect(said.length).toBeGreaterThan(0);
    disk.free();
    const after = await state(
      world.agent,
      ({ taken, unwritten }) => unwritten === 0 && taken >= full.taken + 3,
    );
    expect(after.trouble).toBeUndefined();
    expect(after.dropped.unwritten).toBe(0);
    // Nothing but the oldest went, and each that went is counted.
    expect(after.depth).toBe(after.taken - after.dropped.full);
  });
});
