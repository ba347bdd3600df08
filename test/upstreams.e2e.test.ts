import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ReadingsSnapshot } from '../agent/src/agent-readings.ts';
import { type CollectingHost, startCollectingHost } from './src/collecting-host.ts';
import { DebianUpstreams } from './src/debian-upstreams.ts';
import { bodyOf, readAll, readingHosts, type ToldReading } from './src/reading-stage.ts';
import { describeWith } from './src/tool.ts';
import { diskUse, metricNames, sampleOf, stubStatus } from './src/upstream-text.ts';

const patience = { timeout: 60_000, interval: 250 };
/** To which readings are dated right: by the relay's clock, as far as the `Date` of its answers tells. */
const clockMs = 1_000;
const scrapes = 'promhttp_metric_handler_requests_total{code="200"}';
const text = (reading: ToldReading) => bodyOf(reading).toString();
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const isGood = ({ status }: ToldReading) => status === 200;
const rises = (numbers: readonly number[]) =>
  numbers.every((each, at) => at === 0 || each > (numbers[at - 1] ?? each));

describeWith(
  ['prometheus-node-exporter', 'nginx'],
  'upstreams as they come from Debian',
  ({ 'prometheus-node-exporter': exporter, nginx }) => {
    describe.each(readingHosts)('on %s', (name) => suite(name, { exporter, nginx }));
  },
);

function suite(
  name: (typeof readingHosts)[number],
  programs: { readonly exporter: string; readonly nginx: string },
): void {
  const upstreams = new DebianUpstreams(programs);
  let host: CollectingHost;

  const pull = (source: string, path: string, headers = {}) =>
    host.get(`/devices/${host.device}/sources/${source}${path}`, headers);
  const readings = (schedule: keyof DebianUpstreams['schedules'], query = '') => {
    const { source } = upstreams.schedules[schedule];
    return readAll(host, `&source=${source}${query}`);
  };
  const latest = async (source: string, path: string, query = ''): Promise<ToldReading> => {
    const place = `/devices/${host.device}/readings/latest?source=${source}&path=${path}${query}`;
    return (await (await host.get(place)).json()) as ToldReading;
  };
  /** Resolves with all readings of a schedule, once there are so many. */
  const atLeast = async (count: number, schedule: keyof DebianUpstreams['schedules']) => {
    await expect
      .poll(async () => (await readings(schedule)).filter(isGood).length, patience)
      .toBeGreaterThanOrEqual(count);
    return (await readings(schedule)).filter(isGood);
  };

  beforeAll(async () => {
    await upstreams.start();
    host = await startCollectingHost(name, upstreams.sources, upstreams.schedules);
  });
  afterAll(async () => {
    await host?.stop();
    await upstreams.stop();
  });

  test('the node exporter answers a pull with what it says itself', async () => {
    const before = await upstreams.exporter.metrics();
    const answer = await pull('metrics', '/metrics');
    const pulled = await answer.text();
    const after = await upstreams.exporter.metrics();
    expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4');
    expect(answer.headers.get('pullwire-answered-by')).toBe('upstream');
    expect(metricNames(pulled)).toEqual(metricNames(before));
    const cpu = 'node_cpu_seconds_total{cpu="0",mode="user"}';
    const ofEach = (sample: string) =>
      [before, pulled, after].map((each) => sampleOf(each, sample));
    expect(ofEach(cpu)).toEqual(ofEach(cpu).toSorted((a, b) => a - b));
    expect(rises(ofEach(scrapes))).toBe(true);
    expect(rises(ofEach('node_time_seconds'))).toBe(true);
    for (const same of ['node_boot_time_seconds', 'process_start_time_seconds']) {
      expect(new Set(ofEach(same)).size).toBe(1);
    }
    expect((await pull('metrics', '/debug/pprof/')).status).toBe(403);
  });

  test("nginx's status page counts the pull among its requests", async () => {
    const ask = async () => stubStatus(await upstreams.nginx.get('/nginx_status'));
    const before = await ask();
    const pulled = stubStatus(await (await pull('status', '/nginx_status')).text());
    const after = await ask();
    const counts = [before, pulled, after];
    expect(rises(counts.map(({ requests }) => requests))).toBe(true);
    expect(counts.map(({ accepts, handled }) => accepts - handled)).toEqual([0, 0, 0]);
  });

  test('its log is pulled whole, by its last lines, by range, and only where it has grown', async () => {
    const first = await upstreams.visit();
    const whole = await pull('log', '/access.log');
    expect(await whole.text()).toBe(upstreams.log);
    const etag = whole.headers.get('etag') ?? '';
    const modified = whole.headers.get('last-modified') ?? '';
    const unchanged = await pull('log', '/access.log', { 'If-None-Match': etag });
    expect([unchanged.status, await unchanged.text()]).toEqual([304, '']);
    expect((await pull('log', '/access.log', { 'If-Modified-Since': modified })).status).toBe(304);

    const have = upstreams.log.length;
    const following = { Range: `bytes=${have}-` };
    const nothingYet = await pull('log', '/access.log', following);
    expect([nothingYet.status, nothingYet.headers.get('content-range')]).toEqual([
      416,
      `bytes */${have}`,
    ]);
    const second = await upstreams.visit();
    const grown = await pull('log', '/access.log', { 'If-None-Match': etag });
    expect([grown.status, await grown.text()]).toEqual([200, upstreams.log]);
    const added = await pull('log', '/access.log', following);
    expect([added.status, await added.text()]).toEqual([206, upstreams.log.slice(have)]);
    const notAsItWas = await pull('log', '/access.log', { ...following, 'If-Range': etag });
    expect([notAsItWas.status, await notAsItWas.text()]).toEqual([200, upstreams.log]);

    const lastOne = await (await pull('log', '/access.log?tail=1')).text();
    expect(lastOne).toContain(`"GET ${second} HTTP/1.1" 404 `);
    const lastTwo = await (await pull('log', '/access.log?tail=2')).text();
    expect(lastTwo.split('\n')).toEqual([
      expect.stringContaining(`"GET ${first} `),
      lastOne.trimEnd(),
      '',
    ]);
  });

  test('df says what the kernel says', async () => {
    const { totalKiB, usedKiB, availableKiB, percent, mountedOn } = diskUse(
      await (await pull('disk', '/')).text(),
    );
    expect(totalKiB).toBe(upstreams.mountKiB);
    expect(usedKiB + availableKiB).toBeLessThanOrEqual(totalKiB);
    expect(percent).toBe(Math.ceil((100 * usedKiB) / (usedKiB + availableKiB)));
    expect(upstreams.mount.startsWith(mountedOn)).toBe(true);
  });

  test('schedules bring each of them, every second, in order and with counters that grow', async () => {
    const metrics = await atLeast(4, 'metrics-1s');
    expect(metrics.map(({ at }) => at)).toEqual([...new Set(metrics.map(({ at }) => at))].sort());
    expect(rises(metrics.map((each) => sampleOf(text(each), scrapes)))).toBe(true);
    const collectedAt = metrics.map((each) => sampleOf(text(each), 'node_time_seconds') * 1_000);
    expect(rises(collectedAt)).toBe(true);
    const due = metrics.map(({ at }) => Date.parse(at));
    expect(due.filter((at, index) => (collectedAt[index] ?? 0) < at - clockMs)).toEqual([]);
    const direct = metricNames(await upstreams.exporter.metrics());
    expect(metrics.map((each) => metricNames(text(each)))).toEqual(metrics.map(() => direct));

    const statuses = (await atLeast(4, 'status-1s')).map((each) => stubStatus(text(each)));
    expect(rises(statuses.map(({ requests }) => requests))).toBe(true);
    const disks = (await atLeast(4, 'disk-1s')).map((each) => diskUse(text(each)).totalKiB);
    expect(new Set(disks)).toEqual(new Set([upstreams.mountKiB]));
  });

  test('the schedule of a log brings its last lines, and new ones in its next reading', async () => {
    for (let line = 0; line < 3; line += 1) {
      const visited = await upstreams.visit();
      const lines = upstreams.log.split('\n').slice(-4).join('\n');
      await expect
        .poll(async () => text(await latest('log', '/access.log', '&query=tail%3D3')), patience)
        .toContain(`"GET ${visited} `);
      expect(text(await latest('log', '/access.log', '&query=tail%3D3'))).toBe(lines);
    }
    const newest = (await atLeast(3, 'log-1s')).map((each) =>
      Number(/\/visit-(\d+) .*\n$/.exec(text(each))?.[1] ?? 0),
    );
    expect(newest).toEqual(newest.toSorted((a, b) => a - b));
  });

  test('a file of 600 KB comes whole, by pull and by schedule, in pieces', async () => {
    const { sha256: wanted, bytes } = upstreams.blob;
    const pulled = Buffer.from(await (await pull('files', '/blob.bin')).arrayBuffer());
    expect([pulled.length, sha256(pulled)]).toEqual([bytes, wanted]);
    const collected = await atLeast(2, 'blob-3s');
    const whole = { length: bytes, encoding: 'base64' };
    expect(collected).toMatchObject(collected.map(() => whole));
    expect(collected.map((each) => sha256(bodyOf(each)))).toEqual(collected.map(() => wanted));
  });

  test('readings are the same as JSON and as lines', async () => {
    // What is under way to the relay meanwhile is later.
    const before = Date.parse((await latest('status', '/nginx_status')).at) - 3_000;
    const query = `source=status&until=${before}`;
    const answer = await host.get(`/devices/${host.device}/readings?limit=1000&${query}`);
    const { readings: asJson } = (await answer.json()) as { readings: ToldReading[] };
    expect(asJson.length).toBeGreaterThan(2);
    expect(await readAll(host, `&${query}`)).toEqual(asJson);
  });

  describe('once they fail', () => {
    const failures = [
      ['metrics', '/metrics', 'metrics-1s', 'upstream-unreachable'],
      ['status', '/nginx_status', 'status-1s', 'upstream-unreachable'],
      ['disk', '/', 'disk-1s', 'command-failed'],
    ] as const;
    beforeAll(() => upstreams.fail());

    test.each(failures)(
      '%s: readings and pulls say so, and the last good one stands in',
      async (source, path, schedule, code) => {
        await expect
          .poll(async () => (await latest(source, path)).fault?.code, patience)
          .toBe(code);
        const failed = await pull(source, path);
        expect([failed.status, (await failed.json()) as object]).toEqual([
          502,
          expect.objectContaining({ code }),
        ]);

        const good = (await readings(schedule)).findLast(isGood);
        const earliest = Date.now();
        const answer = await pull(source, path, { 'Cache-Control': 'stale-if-error=3600' });
        const body = await answer.text();
        const at = Date.parse(good?.at ?? '');
        expect([answer.status, body]).toEqual([200, good?.body]);
        const age = Number(answer.headers.get('age'));
        expect(age).toBeGreaterThanOrEqual(Math.floor((earliest - at) / 1_000));
        expect(age).toBeLessThanOrEqual((Date.now() - at + clockMs) / 1_000);
        expect(answer.headers.get('cache-status')).toBe(
          `pullwire; fwd=stale; fwd-status=502; ttl=-${age}; detail=${code}`,
        );
      },
    );

    test('the log of an nginx that is down can still be read', async () => {
      expect(await (await pull('log', '/access.log')).text()).toBe(upstreams.log);
      const { status, body } = await latest('log', '/access.log', '&query=tail%3D3');
      expect([status, body]).toEqual([200, upstreams.log.split('\n').slice(-4).join('\n')]);
    });

    test('what comes back is read again', async () => {
      await upstreams.recover();
      for (const [source, path] of [
        ['metrics', '/metrics'],
        ['disk', '/'],
      ] as const) {
        const { at } = await latest(source, path);
        await expect
          .poll(async () => latest(source, path), patience)
          .toMatchObject({ status: 200, at: expect.not.stringContaining(at) });
        const answer = await pull(source, path, { 'Cache-Control': 'stale-if-error=3600' });
        expect([answer.status, answer.headers.get('age')]).toEqual([200, null]);
        await answer.text();
      }
    });
  });

  /** Due times of a schedule of which the relay has no reading, from its first to its last one. */
  const gaps = async (schedule: string): Promise<number> => {
    const all = (await readAll(host)).filter((each) => each.schedule === schedule);
    const times = all.map(({ at }) => Date.parse(at));
    expect(new Set(times).size).toBe(times.length);
    const everyMs = schedule === 'blob-3s' ? 3_000 : 1_000;
    const spanMs = (times.at(-1) ?? Number.NaN) - (times.at(0) ?? Number.NaN);
    return Math.round(spanMs / everyMs) + 1 - times.length;
  };

  test.each(['metrics-1s', 'status-1s', 'log-1s', 'disk-1s', 'blob-3s'])(
    '%s: none is missing that the agent does not count, none is there twice, all are in its audit',
    async (schedule) => {
      const { schedules, sending } = (await host.agent.snapshot())['readings'] as ReadingsSnapshot;
      expect(sending.refused).toBe(0);
      const { missed, skipped } = schedules[schedule] ?? { missed: 0, skipped: 0 };
      await expect.poll(() => gaps(schedule), patience).toBeLessThanOrEqual(missed + skipped);
      const audit = host.agent.lines.filter(({ caller }) => caller === `schedule:${schedule}`);
      expect(audit.length).toBeGreaterThan(0);
    },
  );
}
