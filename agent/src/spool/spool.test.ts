import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '@pullwire/shared';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkNumber, numberedReading } from './numbered-reading.ts';
import { Spool } from './spool.ts';
import { SpoolStore } from './spool-store.ts';

let folder: string;
let path: string;
let logged: { msg: string; detail?: string }[];

const bounds = { maxBytes: 67_108_864, maxAgeMs: 1e12 };
const all = { bytes: 1e9, rows: 1e6 };
const appender = new URL('./spool-appender.ts', import.meta.url).pathname;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'pullwire-spool-'));
  path = join(folder, 'spool.db');
  logged = [];
});

afterEach(() => rmSync(folder, { recursive: true }));

function spoolAt(at = path, clock = systemClock as ManualClock | typeof systemClock): Spool {
  const write = (line: string): void => void logged.push(JSON.parse(line));
  return new Spool({ path: at, bounds, clock, logger: pino({ level: 'info' }, { write }) });
}

/** The numbers of the readings in the file, each of which is whole. */
function numbersIn(file: string): number[] {
  const damaged = (): void => {
    throw new Error(`${file} is damaged`);
  };
  const store = new SpoolStore({ path: file, bounds: { maxBytes: 1e9, maxAgeMs: 1e12 }, damaged });
  const numbers = store.read(0, all, 0).map(checkNumber);
  store.close();
  return numbers;
}

describe('the spool', () => {
  it('takes readings, gives them back, and removes them', async () => {
    const spool = spoolAt();
    expect(await spool.start()).toEqual([]);
    expect(await spool.append(numberedReading(1))).toBe(true);
    await Promise.all([2, 3].map((at) => spool.append(numberedReading(at))));
    const rows = await spool.read(0, all);
    expect(rows.map(checkNumber)).toEqual([1, 2, 3]);
    await spool.remove(rows.slice(0, 2).map(({ id }) => id));
    expect(spool.snapshot()).toMatchObject({ depth: 1, oldestAt: 3, taken: 3, trouble: undefined });
    await spool.stop();
    const again = spoolAt();
    expect(await again.start()).toEqual([{ schedule: 'numbers', at: 3, step: 0 }]);
    expect(again.snapshot()).toMatchObject({ depth: 1, oldestAt: 3, taken: 0 });
    await again.stop();
  });

  it('puts what comes while a commit runs into one', async () => {
    const spool = spoolAt();
    await spool.start();
    await Promise.all(Array.from({ length: 1_000 }, (_, at) => spool.append(numberedReading(at))));
    const { commits, taken } = spool.snapshot();
    expect(taken).toBe(1_000);
    expect(commits).toBeLessThanOrEqual(3);
    await spool.stop();
  });

  it('says that there is more to read', async () => {
    const spool = spoolAt();
    await spool.start();
    const added = new Promise<void>((resolve) => spool.onAdded(resolve));
    void spool.append(numberedReading(1));
    await added;
    expect(spool.snapshot().depth).toBe(1);
    await spool.stop();
  });

  it('that cannot be opened holds readings in memory, and writes them when it can', async () => {
    const clock = new ManualClock();
    const late = join(folder, 'late');
    const spool = spoolAt(join(late, 'spool.db'), clock);
    await spool.start();
    expect(spool.snapshot().trouble).toContain('the folder must be there');
    const taken = spool.append(numberedReading(1));
    expect(spool.snapshot()).toMatchObject({ taken: 0, unwritten: 1 });
    expect(logged).toMatchObject([{ msg: expect.stringContaining('the spool cannot be used') }]);
    mkdirSync(late);
    clock.advance(5_000);
    expect(await taken).toBe(true);
    expect(spool.snapshot()).toMatchObject({ taken: 1, unwritten: 0, trouble: undefined });
    await spool.stop();
  });

  it('that can never be written ends all the same, and says what was lost', async () => {
    const spool = spoolAt(join(folder, 'none', 'spool.db'), new ManualClock());
    await spool.start();
    const taken = spool.append(numberedReading(1));
    await spool.stop();
    expect(await taken).toBe(false);
    expect(logged.at(-1)).toMatchObject({ unwritten: 1 });
  });
});

/** A process that appends, and the numbers that it said are taken. */
class Appender {
  readonly child: ChildProcess;
  readonly taken: number[] = [];
  readonly closed: Promise<unknown>;
  #waiting: { count: number; resolve(): void }[] = [];

  constructor(first: number) {
    this.child = spawn(process.execPath, [appender, path, String(first)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (this.child.stdout === null) throw new Error('it has a pipe');
    createInterface({ input: this.child.stdout }).on('line', (line) => {
      this.taken.push(Number(line));
      for (const { count, resolve } of this.#waiting) if (this.taken.length >= count) resolve();
    });
    this.closed = once(this.child, 'close');
  }

  async until(count: number): Promise<void> {
    if (this.taken.length >= count) return;
    await new Promise<void>((resolve) => this.#waiting.push({ count, resolve }));
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.closed;
  }
}

describe('a reading that counts as taken', () => {
  it('is there, once, after each of 10 ends by SIGKILL in the middle of appends', async () => {
    const taken = new Set<number>();
    for (let round = 0; round < 10; round += 1) {
      const process = new Appender(round * 1_000_000);
      await process.until(1 + round * 60);
      await process.kill();
      for (const number of process.taken) taken.add(number);
      const numbers = numbersIn(path);
      expect(new Set(numbers).size).toBe(numbers.length);
      const there = new Set(numbers);
      expect([...taken].filter((number) => !there.has(number))).toEqual([]);
    }
    expect(taken.size).toBeGreaterThan(2_700);
  }, 60_000);

  it('is in copies of the files that are made at 50 moments, as after a loss of power', async () => {
    const process = new Appender(0);
    const copy = join(folder, 'copy.db');
    try {
      for (let moment = 1; moment <= 50; moment += 1) {
        await process.until(moment * 40 + ((moment * 7) % 13));
        const known = process.taken.length;
        process.child.kill('SIGSTOP');
        stopped(process.child.pid ?? 0);
        for (const part of ['', '-wal']) {
          rmSync(copy + part, { force: true });
          if (existsSync(path + part)) copyFileSync(path + part, copy + part);
        }
        const there = new Set(numbersIn(copy));
        process.child.kill('SIGCONT');
        expect(process.taken.slice(0, known).filter((number) => !there.has(number))).toEqual([]);
      }
    } finally {
      await process.kill();
    }
  }, 60_000);

  const trace = spawnSync('strace', ['-V']).status === 0 ? '' : ' (skipped: no strace here)';
  it.skipIf(trace !== '')(`was synced: there is an fdatasync for each commit${trace}`, () => {
    const out = join(folder, 'trace');
    const args = ['-f', '-qq', '-e', 'trace=fdatasync,fsync', '-o', out];
    const run = spawnSync('strace', [...args, process.execPath, appender, path, '0', '400'], {
      encoding: 'utf8',
    });
    expect(run.stderr).toBe('');
    const commits = Number(/commits (\d+)/.exec(run.stdout)?.[1]);
    const syncs = readFileSync(out, 'utf8')
      .split('\n')
      .filter((line) => /f(data)?sync\(\d+\)? *(=|<)/.test(line));
    expect(commits).toBeGreaterThan(20);
    expect(syncs.length).toBeGreaterThanOrEqual(commits);
  });
});

/** Waits until the system has stopped all threads of the process: it is asked to, and does so a little later. */
function stopped(pid: number): void {
  const isStopped = (task: string): boolean =>
    /^State:\s+T/m.test(readFileSync(`/proc/${pid}/task/${task}/status`, 'utf8'));
  while (!readdirSync(`/proc/${pid}/task`).every(isStopped));
}
