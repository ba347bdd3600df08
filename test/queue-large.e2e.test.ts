import { createHash, randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { findMinistack } from '../cloud/test/ministack/find-ministack.ts';
import { CloudWorld } from './src/cloud-world.ts';
import { type Host, startHost } from './src/host.ts';
import type { HostName } from './src/host-limit.ts';
import { LargeOrigin } from './src/large-origin.ts';
import { noSmallDisk, SmallDisk } from './src/small-disk.ts';
import { until } from './src/until.ts';
import { sha256Of, upload } from './src/uploader.ts';
import { World } from './src/world.ts';

const megabyte = 1_000_000;

interface State {
  readonly state: string;
  readonly bytes?: number;
  readonly problem?: { readonly code: string; readonly detail: string };
}

/** A caller of queued pulls, whatever host it asks. */
class Caller {
  readonly #ask: Host['ask'];
  readonly #device: string;
  readonly #key: string;

  constructor({ ask, device, callerKey }: Pick<Host, 'ask' | 'device' | 'callerKey'>) {
    this.#ask = ask;
    this.#device = device;
    this.#key = callerKey;
  }

  /** Resolves with the place of the queued pull. */
  async queue(path: string, init: RequestInit = {}): Promise<string> {
    const headers = { Prefer: 'respond-async', ...init.headers };
    const answer = await this.ask(`/devices/${this.#device}/sources/web${path}`, {
      ...init,
      headers,
    });
    expect([answer.status, await answer.text()]).toEqual([202, expect.any(String)]);
    return answer.headers.get('location') ?? '';
  }

  ask(path: string, init: RequestInit = {}): Promise<Response> {
    return this.#ask(path, { ...init, headers: { 'Pullwire-Key': this.#key, ...init.headers } });
  }

  async comesTo(place: string, wanted: string): Promise<State> {
    for (;;) {
      const now = (await (await this.ask(place)).json()) as State;
      if (now.state === wanted) return now;
      if (!['queued', 'sent'].includes(now.state)) expect(now).toMatchObject({ state: wanted });
    }
  }

  /** Hexadecimal SHA-256 of the result's body, as it comes. */
  async hashOf(place: string): Promise<string> {
    const answer = await this.ask(`${place}/result`);
    expect(answer.status).toBe(200);
    const hash = createHash('sha256');
    for await (const piece of answer.body ?? []) hash.update(piece);
    return hash.digest('hex');
  }
}

for (const name of ['one box', 'strict gateway', 'ministack'] as const satisfies HostName[]) {
  const found = name === 'ministack' ? findMinistack() : undefined;
  const skipped = found !== undefined && 'skip' in found ? found.skip : undefined;
  const title = skipped === undefined ? `on ${name}:` : `on ${name} [skipped: ${skipped}]`;
  describe.skipIf(skipped !== undefined)(title, () => suite(name));
}

function suite(name: HostName): void {
  let origin: LargeOrigin;
  let host: Host;
  let caller: Caller;
  beforeAll(async () => {
    origin = await new LargeOrigin().start();
    host = await startHost(name, origin.sources);
    caller = new Caller(host);
  });
  afterAll(async () => {
    await host?.stop();
    origin.stop();
  });

  test('a reply of 5 MB that was asked for while the device was off is given whole when it is back', async () => {
    await host.stopAgent();
    const places = [
      await caller.queue(`/file/${5 * megabyte}`),
      await caller.queue(`/chunked/${3 * megabyte}`),
    ];
    await host.startAgent();
    for (const [at, bytes] of [5 * megabyte, 3 * megabyte].entries()) {
      const place = places[at] ?? '';
      expect(await caller.comesTo(place, 'done')).toMatchObject({ bytes });
      expect(await caller.hashOf(place)).toBe(LargeOrigin.hashOf(bytes));
    }
  });

  test('a request of 500 KB that was queued while the device was off goes once, and whole, when it is back', async () => {
    await host.stopAgent();
    const body = randomBytes(500_000);
    const hash = sha256Of(body);
    const place = await caller.queue('/hash', { method: 'POST', body });
    await host.startAgent();
    await caller.comesTo(place, 'done');
    expect(await (await caller.ask(`${place}/result`)).text()).toBe(hash);
    expect(origin.posted.filter((posted) => posted === hash)).toHaveLength(1);
  });

  test('a reply over the bound ends as what it is', async () => {
    const place = await caller.queue('/file/33554433');
    const failed = await caller.comesTo(place, 'failed');
    expect(failed.problem).toMatchObject({ code: 'reply-too-large' });
    expect((await caller.ask(`${place}/result`)).status).toBe(502);
  });
}

describe.each([
  ['in order', undefined],
  ['shuffled, doubled and delayed, seed 1', 1],
  ['shuffled, doubled and delayed, seed 2', 2],
] as const)('large requests through API Gateway and Lambda, %s', (_, seed) => {
  let origin: LargeOrigin;
  let world: CloudWorld;
  let caller: Caller;
  beforeAll(async () => {
    origin = await new LargeOrigin().start();
    const { sources } = origin;
    world = await CloudWorld.start({ sources, ...(seed === undefined ? undefined : { seed }) });
    const ask: Host['ask'] = (path, init) => fetch(world.url + path, init);
    caller = new Caller({ ask, device: 'plant-1', callerKey: world.callerKey });
  });
  afterAll(async () => {
    await world?.stop();
    origin.stop();
  });

  test('go once, and whole, and leave nothing', async () => {
    const bodies = [50_000, 500_000, 1_500_000].map((bytes) => randomBytes(bytes));
    const places = await Promise.all(
      bodies.map((body) => caller.queue('/hash', { method: 'POST', body })),
    );
    for (const [at, body] of bodies.entries()) {
      const hash = sha256Of(body);
      await caller.comesTo(places[at] ?? '', 'done');
      expect(await (await caller.ask(`${places[at]}/result`)).text()).toBe(hash);
    }
    await world.aws.gateway.settled();
    expect(origin.posted).toHaveLength(3);
    expect(await world.aws.storedObjects()).toEqual([]);
  });

  test('may be uploaded before', async () => {
    const body = randomBytes(3 * megabyte);
    const sha256 = sha256Of(body);
    const id = await upload(world.url, world.callerKey, body);
    const named = { method: 'POST', headers: { 'Pullwire-Upload': id } };
    const place = await caller.queue('/hash', named);
    await caller.comesTo(place, 'done');
    expect(await (await caller.ask(`${place}/result`)).text()).toBe(sha256);
    const again = await caller.ask('/devices/plant-1/sources/web/hash', {
      ...named,
      headers: { ...named.headers, Prefer: 'respond-async' },
    });
    expect([again.status, await again.json()]).toMatchObject([410, { code: 'upload-spent' }]);
  });
});

describe('on one box', () => {
  let origin: LargeOrigin;
  let world: World;
  let caller: Caller;
  beforeAll(async () => {
    origin = await new LargeOrigin().start();
    world = await World.start({ sources: origin.sources });
    caller = callerOf(world);
  });
  afterAll(async () => {
    await world?.stop();
    origin.stop();
  });
  const files = () => filesIn(join(world.dataFolder, 'queue'));

  test('the memory of the relay does not grow by what is kept', async () => {
    const bytes = 30 * megabyte;
    const hash = LargeOrigin.hashOf(bytes);
    const four = async () => {
      const places: string[] = [];
      for (const _ of [1, 2, 3, 4]) places.push(await caller.queue(`/file/${bytes}`));
      for (const place of places) await caller.comesTo(place, 'done');
      const hashes = await Promise.all(places.map((place) => caller.hashOf(place)));
      expect(hashes).toEqual([hash, hash, hash, hash]);
    };
    await four(); // its buffers are there then
    const before = world.relay.peakResidentBytes;
    await four();
    await four();
    expect(world.relay.peakResidentBytes - before).toBeLessThan(bytes);
  });

  test('kill -9 half-way leaves nothing that is half, and a GET is sent again', async () => {
    const bytes = 8 * megabyte;
    const kept = files().length;
    const place = await caller.queue(`/held/${bytes}`);
    await until(() => files().length > kept);
    await world.relay.kill();
    const from = world.agent.lines.length;
    await world.startRelay();
    expect(files()).toHaveLength(kept);
    await world.agent.line('link open', from);
    await until(() => files().length > kept);
    origin.release();
    await caller.comesTo(place, 'done');
    expect(await caller.hashOf(place)).toBe(LargeOrigin.hashOf(bytes));
  });
});

describe.skipIf(noSmallDisk !== undefined)('on one box whose disk is full', () => {
  let origin: LargeOrigin;
  let disk: SmallDisk;
  let world: World;
  let folder: string;
  beforeAll(async () => {
    origin = await new LargeOrigin().start();
    disk = SmallDisk.mount(8);
    folder = mkdtempSync(join(tmpdir(), 'pullwire-full-'));
    const dataFolder = join(folder, 'relay');
    mkdirSync(dataFolder, { mode: 0o700 });
    symlinkSync(disk.path, join(dataFolder, 'queue')); // the registry has its own room
    world = await World.start({ sources: origin.sources, dataFolder });
  });
  afterAll(async () => {
    await world?.stop();
    origin.stop();
    disk.unmount();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a reply that finds no room ends as failed and leaves nothing; when there is room again one is kept', async () => {
    const caller = callerOf(world);
    const place = await caller.queue(`/file/${12 * megabyte}`);
    const { problem } = await caller.comesTo(place, 'failed');
    expect(problem).toMatchObject({
      code: 'reply-not-stored',
      detail: expect.stringContaining('ENOSPC'),
    });
    await expect.poll(() => filesIn(disk.path)).toEqual([]);
    const next = await caller.queue(`/file/${5 * megabyte}`);
    await caller.comesTo(next, 'done');
    expect(await caller.hashOf(next)).toBe(LargeOrigin.hashOf(5 * megabyte));
  });
});

function callerOf(world: World): Caller {
  const ask: Host['ask'] = (path, init) => fetch(world.url + path, init);
  return new Caller({ ask, device: world.device, callerKey: world.callerKey });
}

/** Half-written ones too. */
function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}
