import { randomBytes } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { WireFrame } from './src/hand-agent.ts';
import { type HandLink, HandRelay } from './src/hand-relay.ts';
import { command, Program } from './src/program.ts';
import { createOrigin, type TinyOrigin } from './src/tiny-origin.ts';

const folder = mkdtempSync(join(tmpdir(), 'pullwire-hostile-'));
const relay = new HandRelay();
let origin: TinyOrigin;
let agent: Program;

beforeAll(async () => {
  origin = await createOrigin();
  const keyFile = join(folder, 'device.key');
  await command('agent', ['keygen', '--out', keyFile]);
  writeFileSync(join(folder, 'public.txt'), 'open');
  writeFileSync(join(folder, 'agent.json'), JSON.stringify(await config(keyFile)));
  agent = new Program('agent', ['run', '--config', join(folder, 'agent.json')]);
});
afterAll(async () => {
  await agent.stop();
  await relay.stop();
  await origin.stop();
  rmSync(folder, { recursive: true, force: true });
});

const config = async (keyFile: string): Promise<object> => ({
  relay: await relay.start(),
  device: 'plant-7',
  keyFile,
  redial: { baseMs: 1, capMs: 100 },
  sources: {
    web: { kind: 'http', url: origin.url, allow: [{ paths: ['/open/**'] }], limits: { pulls: 4 } },
    files: { kind: 'file', root: folder, allow: [{ paths: ['/*.txt'] }] },
    echo: {
      kind: 'command',
      argv: ['echo', '{word}'],
      parameters: { word: { pattern: '[a-z]+' } },
      allow: [{ paths: ['/'] }],
    },
  },
});

function pull(fields: Record<string, unknown>): WireFrame {
  return {
    action: 'pull',
    pullId: randomBytes(16).toString('base64url'),
    replyTo: 'r',
    seq: 0,
    method: 'GET',
    path: '/open/x',
    source: 'web',
    headers: [],
    deadlineMs: 5_000,
    credit: 100_000,
    caller: 'mallory',
    end: true,
    ...fields,
  };
}

/** What the agent answers to one pull. */
async function answerTo(link: HandLink, fields: Record<string, unknown>): Promise<WireFrame> {
  const asked = pull(fields);
  link.send(asked);
  for (;;) {
    const answer = await link.next('head', 'fault');
    if (answer['pullId'] === asked['pullId']) return answer;
  }
}

interface Malformed {
  readonly name: string;
  readonly direction: 'agent' | 'relay';
  readonly encoding: 'json' | 'bin';
  readonly frame: string;
}

test('each malformed text frame of the vectors ends the link, and the agent dials again', async () => {
  const file = fileURLToPath(new URL('../shared/vectors/malformed.json', import.meta.url));
  const rows = (JSON.parse(readFileSync(file, 'utf8')) as Malformed[]).filter(
    (row) => row.direction === 'relay' && row.encoding === 'json',
  );
  expect(rows.length).toBeGreaterThan(20);
  for (const row of rows) {
    const link = await relay.link();
    link.send(row.frame);
    expect([1002, 1009], row.name).toContain(await link.closed);
  }
  expect(agent.running).toBe(true);
});

test('binary on a text link: 1003', async () => {
  const link = await relay.link();
  link.send(new Uint8Array([1, 2, 3]));
  expect(await link.closed).toBe(1003);
});

test('a relay cannot ask for what policy does not allow, however it writes it', async () => {
  const link = await relay.link();
  const before = origin.requests;
  const refused: readonly [Record<string, unknown>, string][] = [
    [{ source: 'nope' }, 'source-unknown'],
    [{ path: '/secret' }, 'refused-by-policy'],
    [{ path: '/open/../secret' }, 'path-refused'],
    [{ path: '/open/%2e%2e/secret' }, 'path-refused'],
    [{ path: '/open/%252e%252e/secret' }, 'path-refused'],
    [{ path: '/open/a%5c..%5csecret' }, 'path-refused'],
    [{ path: '/open/a%00' }, 'path-refused'],
    [{ method: 'POST' }, 'refused-by-policy'],
    [{ source: 'files', path: '/device.key' }, 'refused-by-policy'],
    [{ source: 'files', path: '/..%2fetc%2fpasswd' }, 'path-refused'],
    [{ source: 'files', path: '/none.txt' }, 'source-not-found'],
    [{ source: 'echo', path: '/', query: 'word=$(id)' }, 'parameter-refused'],
    [{ source: 'echo', path: '/', query: 'word=a&word=b' }, 'parameter-refused'],
    [{ source: 'echo', path: '/', query: 'other=a' }, 'parameter-refused'],
  ];
  for (const [fields, code] of refused) {
    expect(await answerTo(link, fields), JSON.stringify(fields)).toMatchObject({
      action: 'fault',
      code,
    });
  }
  expect(origin.requests).toBe(before);
  expect(await answerTo(link, { source: 'files', path: '/public.txt' })).toMatchObject({
    status: 200,
  });
  expect(await answerTo(link, { source: 'echo', path: '/', query: 'word=hi' })).toMatchObject({
    status: 200,
    body: Buffer.from('hi\n').toString('base64'),
  });
  await link.end();
});

test('a header that would smuggle a request to the upstream ends the link', async () => {
  const link = await relay.link();
  link.send(pull({ headers: ['x', 'a\r\n\r\nGET /secret HTTP/1.1'] }));
  expect(await link.closed).toBe(1002);
});

test('credit, cancel and body for unknown pulls, a pull twice: harmless', async () => {
  const link = await relay.link();
  const before = origin.requests;
  const pullId = randomBytes(16).toString('base64url');
  link.send({ action: 'credit', pullId, limit: 5 });
  link.send({ action: 'body', pullId, seq: 1, body: 'YQ==', end: true });
  const asked = pull({});
  link.send(asked);
  link.send(asked);
  expect(await link.next('head')).toMatchObject({ status: 200 });
  link.send(asked);
  const cancelled = pull({});
  link.send({ action: 'cancel', pullId: cancelled['pullId'], reason: 'caller-left' });
  link.send(cancelled);
  expect(await answerTo(link, {})).toMatchObject({ status: 200 });
  expect(origin.requests).toBe(before + 2);
  await link.end();
});

test('a flood of pulls is answered with busy, and the agent lives on', async () => {
  const link = await relay.link();
  for (let i = 0; i < 500; i += 1) link.send(pull({ path: '/open/flood' }));
  const seen = { head: 0, fault: 0 };
  while (seen.head + seen.fault < 500) {
    const frame = await link.next('head', 'fault');
    seen[frame.action as 'head' | 'fault'] += 1;
  }
  expect(seen.head).toBeGreaterThan(0);
  expect(agent.running).toBe(true);
});
