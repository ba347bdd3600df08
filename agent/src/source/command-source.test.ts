import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@pullwire/shared/manual-clock';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { RecordingReply } from '../../test/source/recording-reply.ts';
import { openFrom } from '../../test/source/source-deps.ts';
import { sourceRequest } from '../../test/source/source-request.ts';
import type { Source, SourceRequest } from './source.ts';
import type { SourceDeps } from './source-deps.ts';

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'pullwire-'));
});
afterEach(() => {
  rmSync(dir, { recursive: true });
});

function open(argv: string[], config: object = {}, deps: Partial<SourceDeps> = {}): Source {
  return openFrom({ kind: 'command', argv, allow: [{ paths: ['/'] }], ...config }, deps);
}

function pull(source: Source, query = '', more: Partial<SourceRequest> = {}) {
  const reply = new RecordingReply();
  const run = source.open(sourceRequest(`/${query}`, more), reply);
  return { reply, run };
}

async function ask(
  argv: string[],
  config: object = {},
  query = '',
  deps: Partial<SourceDeps> = {},
) {
  return pull(open(argv, config, deps), query).reply.over();
}

/** A shell stands for any program here: the source itself never starts one. */
const script = (text: string): string[] => ['/bin/sh', '-c', text];

describe('a command', () => {
  it('gives what it wrote, with its type and length', async () => {
    const reply = await ask(['echo', 'hello']);
    expect(reply).toMatchObject({ status: 200, text: 'hello\n', fault: undefined });
    expect(reply.headers).toEqual([
      ...['Content-Type', 'text/plain; charset=utf-8', 'Content-Length', '6'],
    ]);
    const json = await ask(['echo', '{}'], { contentType: 'application/json' });
    expect(json.values('content-type')).toEqual(['application/json']);
  });

  it('may write nothing', async () => {
    expect(await ask(['true'])).toMatchObject({ status: 200, bytes: 0, fault: undefined });
  });

  it('gets its arguments as they are, whatever is in them', async () => {
    const argv = ['printf', '%s|', '$HOME', '`id`', 'a b', '*', ';id', '{ x }', ''];
    expect((await ask(argv)).text).toBe('$HOME|`id`|a b|*|;id|{ x }||');
  });

  it('has a small environment, an empty stdin, and its folder', async () => {
    const config = { env: { A: '1', B: { env: 'SECRET' } }, cwd: dir };
    const deps = { env: { PATH: '/usr/bin:/bin', SECRET: 's', OTHER: 'not passed' } };
    const reply = await ask(script('/usr/bin/env; pwd; cat'), config, '', deps);
    const lines = reply.text.split('\n').filter((line) => !/^(_|PWD|OLDPWD|SHLVL)=/.test(line));
    expect(lines.sort()).toEqual(
      ['', 'A=1', 'B=s', 'LANG=C.UTF-8', 'PATH=/usr/bin:/bin', dir].sort(),
    );
  });

  it('that fails is an honest answer with its exit code and the end of stderr', async () => {
    const text = 'echo out; for i in 1 2 3 4 5 6 7 8 9; do echo "line $i" >&2; done; exit 3';
    const { fault, status } = await ask(script(text), { stderrTail: 14 });
    expect(status).toBeUndefined();
    expect(fault).toMatchObject({ code: 'command-failed', stage: 'upstream', status: 502 });
    expect(fault?.extra).toEqual({ exitCode: 3, stderr: 'line 8\nline 9' });
    expect(fault?.message).toBe('the command of source "test" exited with 3');
  });

  it('that ends by a signal says which', async () => {
    const { fault } = await ask(script('kill -KILL $$'), { stderrTail: 0 });
    expect(fault?.extra).toEqual({ signal: 'SIGKILL' });
  });

  it('that fails after its head breaks the transfer', async () => {
    const { fault, status, bytes } = await ask(
      script('head -c 100000 /dev/zero; echo no >&2; exit 4'),
    );
    expect({ status, bytes }).toEqual({ status: 200, bytes: 100_000 });
    expect(fault).toMatchObject({ code: 'command-failed', stage: 'stream' });
    expect(fault?.extra).toEqual({ exitCode: 4, stderr: 'no' });
  });

  it.each([
    [['/nowhere/program'], {}, 'ENOENT'],
    [['echo'], { cwd: '/nowhere' }, 'ENOENT'],
    [['/etc/passwd'], {}, 'EACCES'],
    [['echo', 'x'.repeat(200_000)], {}, 'E2BIG'],
  ])('that cannot start is a failure of the source', async (argv, config, code) => {
    const { fault } = await ask(argv, config);
    expect(fault).toMatchObject({ code: 'source-failed', stage: 'upstream-connect' });
    expect(fault?.message).toContain(code);
  });

  it('that writes more than it may is stopped, before and after its head', async () => {
    const few = await ask(script('head -c 2000 /dev/zero; sleep 60'), { outputBytes: 1_000 });
    expect(few.fault).toMatchObject({ code: 'reply-too-large', stage: 'upstream' });
    const many = await ask(script('cat /dev/zero'), { outputBytes: 1_000_000 });
    expect(many.fault).toMatchObject({ code: 'reply-too-large', stage: 'stream' });
    expect(many.bytes).toBeLessThanOrEqual(1_000_000);
  });

  it('has no end for a HEAD with much output: it is stopped after the head', async () => {
    const { reply } = pull(open(script('cat /dev/zero')), '', { method: 'HEAD' });
    expect(await reply.over()).toMatchObject({ status: 200, bytes: 0, fault: undefined });
    expect(reply.values('content-length')).toEqual([]);
  });
});

describe('a command and its children', () => {
  /** Starts a child, says the ids of both, and stays. */
  const family = (more: string): string[] =>
    script(`${more} sleep 1000 & echo $$ $! > ${join(dir, 'pids')}; ${more} wait`);

  async function pids(): Promise<number[]> {
    const file = join(dir, 'pids');
    await vi.waitFor(() => expect(existsSync(file) && readFileSync(file, 'utf8')).toMatch(/\n$/));
    return readFileSync(file, 'utf8').trim().split(' ').map(Number);
  }

  /** A zombie is gone: an orphan waits for init, which some containers do not have. */
  function lives(pid: number): boolean {
    try {
      return !/^State:\tZ/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
    } catch {
      return false;
    }
  }

  const gone = (all: readonly number[]) => vi.waitFor(() => expect(all.filter(lives)).toEqual([]));

  it('are gone when the pull is cancelled', async () => {
    const { run, reply } = pull(open(family('')));
    const all = await pids();
    run.cancel();
    await gone(all);
    expect(reply.isOver).toBe(false);
  });

  it('are gone when they ignore SIGTERM, after a while', async () => {
    const clock = new ManualClock();
    const { run } = pull(open(family("trap '' TERM;"), {}, { clock }));
    const all = await pids();
    run.cancel();
    expect(all.map(lives)).toEqual([true, true]);
    clock.advance(2_000);
    await gone(all);
    expect(clock.pending).toBe(0);
  });

  it('are gone when it took too long', async () => {
    const clock = new ManualClock();
    const { reply } = pull(open(family(''), { timeoutMs: '3s' }, { clock }));
    const all = await pids();
    clock.advance(3_000);
    expect(reply.fault).toMatchObject({ code: 'upstream-timeout', stage: 'upstream', status: 504 });
    await gone(all);
  });

  it('are gone when the source is closed', async () => {
    const clock = new ManualClock();
    const source = open(family("trap '' TERM;"), {}, { clock });
    const { run } = pull(source);
    const all = await pids();
    run.cancel();
    await source.close();
    await gone(all);
  });

  it('are gone when only the command has ended', async () => {
    const text = `sleep 1000 & echo $$ $! > ${join(dir, 'pids')}; echo done`;
    const { reply } = pull(open(script(text)));
    expect((await reply.over()).text).toBe('done\n');
    await gone(await pids());
  });

  it('leave no timer behind', async () => {
    const clock = new ManualClock();
    await pull(open(['true'], {}, { clock })).reply.over();
    await pull(open(['/nowhere'], {}, { clock })).reply.over();
    expect(clock.pending).toBe(0);
  });
});

describe('the time of a command', () => {
  it('is that of the pull where it has less', async () => {
    const clock = new ManualClock();
    const { reply } = pull(open(['sleep', '1000'], {}, { clock }), '', { budgetMs: 500 });
    clock.advance(500);
    expect(reply.fault?.code).toBe('upstream-timeout');
  });

  it('goes on after the head, up to its own limit', async () => {
    const clock = new ManualClock();
    const argv = script('head -c 100000 /dev/zero; sleep 1000');
    const { reply } = pull(open(argv, { timeoutMs: '3s' }, { clock }), '', { budgetMs: 500 });
    await reply.until(({ bytes }) => bytes === 100_000);
    clock.advance(2_999);
    expect(reply.isOver).toBe(false);
    clock.advance(1);
    expect(reply.fault).toMatchObject({ code: 'reply-broken', stage: 'stream' });
  });
});

describe('the parameters of a command', () => {
  const config = {
    parameters: {
      host: { pattern: '[a-z0-9.-]+' },
      count: { values: ['1', '2', '-1'], default: '1' },
      note: { pattern: '.*', default: '', maxLength: 5 },
    },
  };
  const argv = ['printf', '%s|', '--host={host}', '{count}', '{note}:{host}'];
  const said = async (query: string) => ask(argv, config, query);

  it.each([
    ['?host=a.b', '--host=a.b|1|:a.b|'],
    ['?count=2&host=x&note=a+b%26', '--host=x|2|a b&:x|'],
    ['?host=x&count=-1', '--host=x|-1|:x|'],
    ['?host=x&&note=', '--host=x|1|:x|'],
    ['?h%6Fst=x&note=%C3%BC%27%24', "--host=x|1|\u00c3\u00bc'$:x|"],
  ])('%s', async (query, text) => {
    expect(await said(query)).toMatchObject({ text, fault: undefined });
  });

  it.each([
    ['', 'parameter host is missing'],
    ['?host=x&other=1', 'parameter "other" is unknown'],
    ['?host=x&host=x', 'parameter "host" is repeated'],
    ['?host=A', 'parameter host does not match [a-z0-9.-]+'],
    ['?host=x%0A', 'parameter host does not match'],
    ['?host=-rf', 'parameter host begins with "-"'],
    ['?host=', 'parameter host does not match'],
    ['?host=x&count=3', 'parameter count is not one of 1, 2, -1'],
    ['?host=x&note=123456', 'parameter note is longer than 5 characters'],
    ['?host=x&note=%00', 'parameter note holds NUL'],
    ['?host=x&note=%ff', 'percent-encoding'],
    ['?host=x&note=%2', 'percent-encoding'],
    ['?host=x&__proto__=1', 'parameter "__proto__" is unknown'],
  ])('%j is refused: %s', async (query, detail) => {
    const { fault } = await said(query);
    expect(fault).toMatchObject({ code: 'parameter-refused', stage: 'policy', status: 400 });
    expect(fault?.message).toContain(detail);
  });

  it('never reach a shell', async () => {
    const file = join(dir, 'touched');
    writeFileSync(join(dir, 'x'), '');
    const parameters = { x: { pattern: '.*' } };
    const evil = encodeURIComponent(`; touch ${file} $(touch ${file}) \`touch ${file}\``);
    const reply = await ask(['printf', '%s', '{x}'], { parameters }, `?x=${evil}`);
    expect(reply.text).toBe(decodeURIComponent(evil));
    expect(existsSync(file)).toBe(false);
  });
});
