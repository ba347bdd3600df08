import { spawnSync } from 'node:child_process';
import {
  appendFileSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RecordingReply } from '../../test/source/recording-reply.ts';
import { openFrom } from '../../test/source/source-deps.ts';
import { sourceRequest } from '../../test/source/source-request.ts';
import type { SourceRequest } from './source.ts';

let root: string;
let outside: string;

beforeEach(() => {
  const dir = mkdtempSync(join(tmpdir(), 'pullwire-'));
  root = join(dir, 'root');
  outside = join(dir, 'outside');
  mkdirSync(root);
  mkdirSync(outside);
  writeFileSync(join(outside, 'secret.txt'), 'secret');
});

afterEach(() => {
  rmSync(dirname(root), { recursive: true });
});

function put(name: string, content: string | Buffer = name): void {
  mkdirSync(dirname(join(root, name)), { recursive: true });
  writeFileSync(join(root, name), content);
}

/** By name, since Node has no call for it. Its exit code. */
function makeFifo(name: string): number | null {
  const program = 'mkfifo';
  return spawnSync(program, [join(root, name)]).status;
}

function pull(target: string, more: Partial<SourceRequest> = {}, config: object = {}) {
  const source = openFrom({ kind: 'file', root, allow: [{ paths: ['/**'] }], ...config });
  const reply = new RecordingReply();
  const run = source.open(sourceRequest(target, more), reply);
  return { reply, run };
}

async function ask(target: string, more: Partial<SourceRequest> = {}, config: object = {}) {
  return pull(target, more, config).reply.over();
}

const withHeaders = (...headers: string[]) => ({ headers });

describe('a file', () => {
  it('comes whole, with its type, length, validators, and the offer of ranges', async () => {
    put('a.html', 'hello');
    utimesSync(join(root, 'a.html'), 1_700_000_000, 1_700_000_000);
    const reply = await ask('/a.html');
    expect(reply).toMatchObject({ status: 200, text: 'hello', fault: undefined });
    expect(reply.headers).toEqual([
      ...['Content-Type', 'text/html', 'Accept-Ranges', 'bytes'],
      ...['Last-Modified', 'Tue, 14 Nov 2023 22:13:20 GMT'],
      ...['ETag', expect.stringMatching(/^"5-[0-9a-f]+-[0-9a-f]+"$/)],
      ...['Content-Length', '5'],
    ]);
  });

  it.each([
    ['/a.log', 'text/plain'],
    ['/b.json', 'application/json'],
    ['/c.csv', 'text/csv'],
    ['/d.unknown', 'application/octet-stream'],
    ['/none', 'application/octet-stream'],
    ['/dir/e.png', 'image/png'],
  ])('%s is %s', async (path, type) => {
    put(path.slice(1));
    expect((await ask(path)).values('content-type')).toEqual([type]);
  });

  it('may be empty, and may have any name that a path can spell', async () => {
    put('empty', '');
    put('ä b%;ü.txt', 'odd');
    expect(await ask('/empty')).toMatchObject({ status: 200, bytes: 0, fault: undefined });
    expect((await ask('/%C3%A4%20b%25%3B%C3%BC.txt')).text).toBe('odd');
  });

  it('changes its entity tag with every write, also within the same second', async () => {
    put('a', 'one');
    const first = (await ask('/a')).values('etag');
    put('a', 'two');
    expect((await ask('/a')).values('etag')).not.toEqual(first);
  });

  it.each([
    ['/missing', 'nothing there'],
    ['/dir/missing', 'nothing there in a folder'],
    ['/file/below', 'below a file'],
    ['/file/', 'a file with a slash behind it'],
    ['/dir%2Ffile', 'a name with a slash in it'],
  ])('%s is not found: %s', async (path) => {
    put('file');
    put('dir/file');
    const { fault } = await ask(path);
    expect(fault).toMatchObject({ code: 'source-not-found', stage: 'upstream', status: 404 });
    expect(fault?.message).not.toContain(root);
  });

  it('under a root that is not there is a failure, and the root is not told', async () => {
    const { fault } = await ask('/a', {}, { root: join(root, 'nowhere') });
    expect(fault).toMatchObject({ code: 'source-failed', status: 502 });
    expect(fault?.message).toContain('ENOENT');
    expect(fault?.message).not.toContain(root);
  });

  it('larger than the policy allows is refused before its head', async () => {
    put('a', 'hello');
    const limits = { limits: { replyBytes: 4 } };
    expect((await ask('/a', {}, limits)).fault?.code).toBe('reply-too-large');
    expect((await ask('/a', withHeaders('Range', 'bytes=0-3'), limits)).text).toBe('hell');
    expect((await ask('/a', { method: 'HEAD' }, limits)).status).toBe(200);
  });
});

describe('a range of a file', () => {
  it('comes as 206', async () => {
    put('a', '0123456789');
    const reply = await ask('/a', withHeaders('Range', 'bytes=2-5'));
    expect(reply).toMatchObject({ status: 206, text: '2345' });
    expect(reply.values('content-range')).toEqual(['bytes 2-5/10']);
    expect(reply.values('content-length')).toEqual(['4']);
  });

  it('that cannot be satisfied is a 416', async () => {
    put('a', '0123456789');
    const reply = await ask('/a', withHeaders('Range', 'bytes=10-'));
    expect(reply).toMatchObject({ status: 416, bytes: 0, fault: undefined });
    expect(reply.values('content-range')).toEqual(['bytes */10']);
  });

  it('is the whole where there are several, where If-Range fails, and for a HEAD', async () => {
    put('a', '0123456789');
    const range = ['Range', 'bytes=0-1,3-4'];
    expect(await ask('/a', { headers: range })).toMatchObject({ status: 200, bytes: 10 });
    const other = ['Range', 'bytes=0-1', 'If-Range', '"other"'];
    expect(await ask('/a', { headers: other })).toMatchObject({ status: 200, bytes: 10 });
    const head = await ask('/a', { method: 'HEAD', headers: ['Range', 'bytes=0-1'] });
    expect(head.status).toBe(200);
    expect(head.values('content-length')).toEqual(['10']);
    const [etag = ''] = head.values('etag');
    const same = ['Range', 'bytes=0-1', 'If-Range', etag];
    expect(await ask('/a', { headers: same })).toMatchObject({ status: 206, bytes: 2 });
  });

  it('across several pieces is exact', async () => {
    const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => i % 251));
    put('a', content);
    const reply = await ask('/a', withHeaders('Range', 'bytes=1000-250000'));
    expect(Buffer.concat(reply.chunks).equals(content.subarray(1_000, 250_001))).toBe(true);
  });
});

it('a file that did not change is a 304 with its validators and nothing else', async () => {
  put('a', 'hello');
  const [etag = ''] = (await ask('/a')).values('etag');
  const reply = await ask('/a', withHeaders('If-None-Match', etag, 'Range', 'bytes=0-1'));
  expect(reply).toMatchObject({ status: 304, bytes: 0, fault: undefined });
  expect(reply.headers.filter((_, i) => i % 2 === 0)).toEqual(['Last-Modified', 'ETag']);
  expect(await ask('/a', withHeaders('If-Match', '"other"'))).toMatchObject({
    status: 412,
    bytes: 0,
  });
});

describe('a file that changes while it is read', () => {
  it('and grows ends where it stood at the start', async () => {
    put('a', 'x'.repeat(200_000));
    const { reply, run } = pull('/a');
    reply.hasRoom = false;
    await reply.until(({ bytes }) => bytes > 0);
    appendFileSync(join(root, 'a'), 'y'.repeat(200_000));
    reply.hasRoom = true;
    run.resume();
    await reply.over();
    expect(reply).toMatchObject({ bytes: 200_000, fault: undefined });
    expect(reply.text).not.toContain('y');
  });

  it('and shrinks breaks off', async () => {
    put('a', 'x'.repeat(200_000));
    const { reply, run } = pull('/a');
    reply.hasRoom = false;
    await reply.until(({ bytes }) => bytes > 0);
    truncateSync(join(root, 'a'), 100_000);
    reply.hasRoom = true;
    run.resume();
    await reply.over();
    expect(reply.fault).toMatchObject({ code: 'reply-broken', stage: 'stream' });
    expect(reply.bytes).toBe(100_000);
  });

  it('and is replaced stays the one that was opened', async () => {
    put('a', 'x'.repeat(200_000));
    put('b', 'y'.repeat(200_000));
    const { reply, run } = pull('/a');
    reply.hasRoom = false;
    await reply.until(({ bytes }) => bytes > 0);
    renameSync(join(root, 'b'), join(root, 'a'));
    reply.hasRoom = true;
    run.resume();
    expect((await reply.over()).text).toBe('x'.repeat(200_000));
  });
});

describe('nothing leads out of the root', () => {
  it.each(['/link', '/folder/secret.txt', '/folder', '/folder/', '/up/outside/secret.txt'])(
    'not %s, by a symbolic link',
    async (path) => {
      symlinkSync(join(outside, 'secret.txt'), join(root, 'link'));
      symlinkSync(outside, join(root, 'folder'));
      symlinkSync('..', join(root, 'up'));
      const reply = await ask(path);
      expect(reply.fault?.code).toBe('source-not-found');
      expect(reply.text).toBe('');
    },
  );

  it('nor by a symbolic link that stays inside', async () => {
    put('a', 'hello');
    symlinkSync('a', join(root, 'link'));
    expect((await ask('/link')).fault?.code).toBe('source-not-found');
  });

  it('but the root itself may be a symbolic link', async () => {
    put('a', 'hello');
    symlinkSync(root, join(outside, 'root'));
    expect((await ask('/a', {}, { root: join(outside, 'root') })).text).toBe('hello');
  });

  it('and names that a path rule would have refused lead nowhere', async () => {
    for (const segments of [
      ['..', 'outside', 'secret.txt'],
      ['..'],
      ['a/../../outside/secret.txt'],
    ]) {
      const reply = await ask('/x', { segments });
      expect(reply.text).toBe('');
      expect(reply.fault ?? reply.status, segments.join()).not.toBe(200);
    }
  });

  it('while folders and links change places', async () => {
    put('dir/secret.txt', 'fine');
    symlinkSync(outside, join(root, 'evil'));
    const swap = (): void => {
      renameSync(join(root, 'dir'), join(root, 'aside'));
      renameSync(join(root, 'evil'), join(root, 'dir'));
      renameSync(join(root, 'dir'), join(root, 'evil'));
      renameSync(join(root, 'aside'), join(root, 'dir'));
    };
    const replies: Promise<RecordingReply>[] = [];
    for (let i = 0; i < 300; i += 1) {
      replies.push(ask('/dir/secret.txt'));
      swap();
      if (i % 10 === 9) await replies.at(-1);
    }
    const texts = (await Promise.all(replies)).map(({ text }) => text);
    expect(texts.filter((text) => text !== 'fine' && text !== '')).toEqual([]);
  });
});

describe('what is neither a file nor a folder', () => {
  it('is not found, and does not block', async () => {
    expect(makeFifo('fifo')).toBe(0);
    expect((await ask('/fifo')).fault?.code).toBe('source-not-found');
  });

  it('is not found where it is a device', async () => {
    for (const path of ['/null', '/tty', '/zero']) {
      const reply = await ask(path, {}, { root: '/dev' });
      expect(reply.fault?.code, path).toBe('source-not-found');
    }
  });
});

describe('a folder', () => {
  async function list(target: string, config: object = {}) {
    const reply = await ask(target, {}, config);
    expect(reply.fault).toBeUndefined();
    expect(reply.values('content-type')).toEqual(['application/json']);
    expect(reply.values('content-length')).toEqual([String(reply.bytes)]);
    return JSON.parse(Buffer.concat(reply.chunks).toString('utf8'));
  }

  it('is listed by name, with type, size and time, with or without a slash', async () => {
    put('logs/b.log', 'four');
    put('logs/a/x', '');
    utimesSync(join(root, 'logs/b.log'), 1_700_000_000, 1_700_000_000);
    const modified = expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
    const entries = [
      { name: 'a', type: 'folder', modified },
      { name: 'b.log', type: 'file', size: 4, modified: '2023-11-14T22:13:20.000Z' },
    ];
    expect(await list('/logs')).toEqual({ path: '/logs/', entries });
    expect(await list('/logs/')).toEqual({ path: '/logs/', entries });
    expect((await list('/')).entries).toHaveLength(1);
  });

  it('shows only what could be asked for', async () => {
    for (const name of [
      'a.log',
      'b.txt',
      'deep/c.log',
      'deep/d.txt',
      'other/e.txt',
      '%2e',
      'n\nl',
    ]) {
      put(name);
    }
    symlinkSync('a.log', join(root, 'link.log'));
    linkSync(join(root, 'a.log'), join(root, 'hard.log'));
    makeFifo('fifo.log');
    writeFileSync(
      Buffer.concat([Buffer.from(`${root}/`), Buffer.from([0xff]), Buffer.from('.log')]),
      '',
    );
    const allow = [{ paths: ['/', '/*.log', '/deep', '/deep/*.log'] }];
    const names = async (path: string) =>
      (await list(path, { allow })).entries.map(({ name }: { name: string }) => name);
    expect(await names('/')).toEqual(['a.log', 'deep', 'hard.log']);
    expect(await names('/deep')).toEqual(['c.log']);
  });

  it('is not listed where the configuration says so', async () => {
    put('a');
    const { fault } = await ask('/', {}, { listing: false });
    expect(fault).toMatchObject({ code: 'refused-by-policy', stage: 'policy', status: 403 });
  });

  it('has a head without a body for HEAD', async () => {
    put('a');
    const get = await ask('/');
    const head = await ask('/', { method: 'HEAD' });
    expect(head).toMatchObject({ status: 200, bytes: 0 });
    expect(head.values('content-length')).toEqual([String(get.bytes)]);
  });
});

describe('the tail of a file', () => {
  const lines = Array.from({ length: 50_000 }, (_, i) => `line ${i}\n`);

  it.each([
    ['a\nb\nc\n', 2, 'b\nc\n'],
    ['a\nb\nc', 2, 'b\nc'],
    ['a\nb\nc\n', 3, 'a\nb\nc\n'],
    ['a\nb\nc\n', 99, 'a\nb\nc\n'],
    ['\n\n\n', 2, '\n\n'],
    ['one line', 1, 'one line'],
    ['one line\n', 1, 'one line\n'],
    ['', 5, ''],
    [lines.join(''), 3, lines.slice(-3).join('')],
    [lines.join(''), 9_999, lines.slice(-9_999).join('')],
    [`${'x'.repeat(200_000)}\n${'y'.repeat(200_000)}`, 1, 'y'.repeat(200_000)],
  ])('of %j, the last %i lines', async (content, count, expected) => {
    put('a.log', content);
    const reply = await ask(`/a.log?tail=${count}`);
    expect(reply).toMatchObject({ status: 200, fault: undefined });
    expect(reply.text === expected).toBe(true);
    expect(reply.values('content-length')).toEqual([String(expected.length)]);
  });

  it('has no ranges, but validators', async () => {
    put('a.log', 'a\nb\n');
    const reply = await ask('/a.log?tail=1', withHeaders('Range', 'bytes=0-0'));
    expect(reply).toMatchObject({ status: 200, text: 'b\n' });
    expect(reply.values('accept-ranges')).toEqual([]);
    const [etag = ''] = reply.values('etag');
    expect(await ask('/a.log?tail=1', withHeaders('If-None-Match', etag))).toMatchObject({
      status: 304,
    });
  });

  it('reads from the end, not the whole', async () => {
    writeFileSync(join(root, 'huge.log'), '');
    truncateSync(join(root, 'huge.log'), 2 ** 40);
    appendFileSync(join(root, 'huge.log'), '\nlast\n');
    expect((await ask('/huge.log?tail=1')).text).toBe('last\n');
  });

  it('longer than is looked for is refused', async () => {
    writeFileSync(join(root, 'huge.log'), '');
    truncateSync(join(root, 'huge.log'), 2 ** 40);
    const { fault } = await ask('/huge.log?tail=1');
    expect(fault).toMatchObject({ code: 'reply-too-large', stage: 'upstream' });
  });

  it.each([
    'tail',
    'tail=',
    'tail=0',
    'tail=-1',
    'tail=1.5',
    'tail=x',
    'tail=101',
    'tail=1&tail=2',
  ])('by ?%s is refused', async (query) => {
    put('a.log', 'a\n');
    const { fault } = await ask(`/a.log?${query}`, {}, { maxTailLines: 100 });
    expect(fault).toMatchObject({ code: 'parameter-refused', status: 400 });
    expect(fault?.message).toContain('from 1 to 100');
  });

  it('is not asked for by other parameters', async () => {
    put('a.log', 'a\nb\n');
    expect((await ask('/a.log?x=1&tails=2')).text).toBe('a\nb\n');
  });
});

it('reads real files of this machine', async () => {
  const reply = await ask(
    '/os-release',
    {},
    { root: '/usr/lib', allow: [{ paths: ['/os-release'] }] },
  );
  expect(reply.text).toBe(readFileSync('/usr/lib/os-release', 'latin1'));
});
