import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BodyOrigin, type ReceivedBody } from './src/body-origin.ts';
import { CloudWorld } from './src/cloud-world.ts';
import { FolderWorld } from './src/folder-world.ts';
import { askForUpload, sha256Of, upload } from './src/uploader.ts';
import { World } from './src/world.ts';

let origin: BodyOrigin;
beforeAll(async () => {
  origin = await BodyOrigin.start();
});
afterAll(() => origin.stop());

const sources = () => ({
  web: {
    kind: 'http',
    url: origin.url,
    allow: [{ paths: ['/open/**', '/bytes/**'], methods: ['GET', 'POST'] }],
  },
});

/** Where the suite runs: it is the same on every host that has uploads. */
interface Host {
  readonly url: string;
  readonly callerKey: string;
  addKey(): Promise<string>;
  storedObjects(): Promise<string[]>;
  /** Bodies and parts that were put so far; cloud.e2e.test.ts counts them on AWS. */
  parts?(): number;
  stop(): Promise<void>;
}

async function onAws(): Promise<Host> {
  const world = await CloudWorld.start({ sources: sources() });
  const { aws, callerKey } = world;
  return {
    url: aws.url,
    callerKey,
    addKey: () => aws.addKey(),
    storedObjects: async () => {
      await aws.gateway.settled();
      return aws.storedObjects();
    },
    stop: () => world.stop(),
  };
}

async function onOneBox(): Promise<Host> {
  const world = await FolderWorld.start(sources());
  return {
    url: world.url,
    callerKey: world.callerKey,
    addKey: () => world.addKey('other'),
    storedObjects: () => world.storedObjects(),
    parts: () => world.parts,
    stop: () => world.stop(),
  };
}

describe.each([
  ['AWS', 'plant-1', onAws],
  ['one box with a folder', 'plant-7', onOneBox],
])('on %s', (name, device, start) => {
  let host: Host;
  beforeAll(async () => {
    host = await start();
  });
  afterAll(() => host?.stop());

  const pull = (path: string, headers: Record<string, string>, body?: string) =>
    fetch(`${host.url}/devices/${device}/sources/web${path}`, {
      method: 'POST',
      headers: { 'Pullwire-Key': host.callerKey, ...headers },
      ...(body === undefined ? {} : { body }),
    });
  const codeOf = async (answer: Response) => ((await answer.json()) as { code: string }).code;

  test.each([
    [5_000_000, 'text/x-large'],
    [8_388_608, 'application/octet-stream'],
    [100, 'text/x-small'],
  ])('a body of %i bytes that was uploaded reaches the upstream whole', async (bytes, type) => {
    const body = randomBytes(bytes);
    const id = await upload(host.url, host.callerKey, body);
    const answer = await pull('/open/a', { 'Pullwire-Upload': id, 'Content-Type': type });
    expect(answer.status).toBe(200);
    const { headers, ...received } = (await answer.json()) as ReceivedBody;
    expect(received).toEqual({ path: '/open/a', bytes, sha256: sha256Of(body) });
    expect(headers).toMatchObject({ 'content-length': String(bytes), 'content-type': type });
    expect(headers).not.toHaveProperty('pullwire-upload');
    const again = await pull('/open/a', { 'Pullwire-Upload': id });
    expect([again.status, await codeOf(again)]).toEqual([410, 'upload-spent']);
  });

  test('an upload that a device refuses is there for the next pull, and nobody else', async () => {
    const id = await upload(host.url, host.callerKey, randomBytes(60_000));
    const refused = await pull('/closed', { 'Pullwire-Upload': id });
    expect([refused.status, await codeOf(refused)]).toEqual([403, 'refused-by-policy']);
    const other = { 'Pullwire-Upload': id, 'Pullwire-Key': await host.addKey() };
    expect(await codeOf(await pull('/open/a', other))).toBe('upload-unknown');
    expect((await pull('/open/a', { 'Pullwire-Upload': id })).status).toBe(200);
  });

  test('of two pulls that name one upload at once, one gets it', async () => {
    const id = await upload(host.url, host.callerKey, randomBytes(60_000));
    const answers = await Promise.all([1, 2].map(() => pull('/open/a', { 'Pullwire-Upload': id })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 410]);
  });

  test('what cannot be is refused', async () => {
    const { url, callerKey } = host;
    const large = await askForUpload(url, callerKey, Buffer.alloc(8_388_609));
    expect([large.status, await codeOf(large)]).toEqual([413, 'request-body-too-large']);
    expect((await askForUpload(url, 'pwk_none', Buffer.alloc(1))).status).toBe(401);
    const asked = await askForUpload(url, callerKey, Buffer.alloc(9));
    const { upload: id } = (await asked.json()) as { upload: string };
    expect(await codeOf(await pull('/open/a', { 'Pullwire-Upload': id }))).toBe('upload-missing');
    expect((await pull('/open/a', { 'Pullwire-Upload': id }, 'and a body')).status).toBe(400);
    const got = await fetch(`${url}/uploads`);
    expect([got.status, got.headers.get('allow')]).toEqual([405, 'POST']);
  });

  test.each([
    [600_000, 1],
    [20_000_000, 3],
  ])('a reply of %i bytes comes by the storage, in %i parts', async (bytes, parts) => {
    const before = host.parts?.() ?? 0;
    const headers = { 'Pullwire-Key': host.callerKey };
    const answer = await fetch(`${host.url}/devices/${device}/sources/web/bytes/${bytes}`, {
      headers,
    });
    expect(answer.status).toBe(200);
    const body = Buffer.from(await answer.arrayBuffer());
    expect(body.equals(Buffer.alloc(bytes, 'x'))).toBe(true);
    if (host.parts !== undefined) expect(host.parts() - before).toBe(parts);
  });

  test('nothing but the marks of used uploads stays in the storage', async () => {
    const kept = await host.storedObjects();
    expect(kept.length).toBeGreaterThan(0);
    expect(kept.filter((key) => !key.endsWith('.used'))).toEqual([]);
  });

  test.runIf(name === 'AWS')('a body over 1 MiB is told of uploads', async () => {
    const answer = await pull('/open/a', {}, 'x'.repeat(1_048_577));
    expect(answer.status).toBe(413);
    const { detail } = (await answer.json()) as { detail: string };
    expect(detail).toContain('up to 8388608 bytes can be uploaded before it (POST /uploads)');
  });
});

test('one box as it ships takes bodies as they are, and says so', async () => {
  const world = await World.start({ sources: sources() });
  try {
    const asked = await askForUpload(world.url, world.callerKey, Buffer.alloc(9));
    expect([asked.status, await asked.json()]).toMatchObject([404, { code: 'route-unknown' }]);
    const headers = { 'Pullwire-Upload': 'x' };
    const named = await world.pull('web', '/open/a', { method: 'POST', headers });
    expect([named.status, await named.json()]).toMatchObject([400, { code: 'bad-request' }]);
    const body = Buffer.alloc(5_000_000, 'y');
    const whole = await world.pull('web', '/open/a', { method: 'POST', body });
    expect(await whole.json()).toMatchObject({ bytes: body.length, sha256: sha256Of(body) });
  } finally {
    await world.stop();
  }
});
