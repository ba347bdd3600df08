import { randomBytes } from 'node:crypto';
import { EventEmitter, once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TcpRelay } from './src/tcp-relay.ts';
import { World } from './src/world.ts';

const long = process.env['PULLWIRE_LONG'] === '1';
const rounds = long ? 10 : 1;
/** Readings taken in each half of the time in which there is no link: one a second. */
const offline = long ? 60 : 3;

let world: World;
let path: TcpRelay;
let upstream: Server;
/** Whatever the upstream said, in order: each time something else. */
const said: string[] = [];
const asks = new EventEmitter();

beforeAll(async () => {
  upstream = createServer((_request, response) => {
    said.push(`${said.length} ${randomBytes(12).toString('hex')}`);
    response.end(said.at(-1));
    asks.emit('asked');
  });
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
  world = await World.start({ sources: {} });
  await world.agent.stop();
  path = await TcpRelay.start(world.port);
  world.writeAgentConfig(
    { numbers: { kind: 'http', url, allow: [{ paths: ['/**'] }] } },
    {
      relay: `ws://127.0.0.1:${path.port}/link`,
      audience: `127.0.0.1:${world.port}`,
      redial: { baseMs: 100, capMs: 300 },
      schedules: { count: { source: 'numbers', path: '/next', cron: '* * * * * *' } },
    },
  );
});

afterAll(async () => {
  await world?.stop();
  await path?.stop();
  upstream.close();
  upstream.closeAllConnections();
});

interface Told {
  readonly at: string;
  readonly body: string;
}

/** All that the relay has, page by page. */
async function stored(): Promise<Told[]> {
  const all: Told[] = [];
  const readings = `${world.url}/devices/${world.device}/readings`;
  let next: string | undefined = '?limit=100';
  while (next !== undefined) {
    const answer = await fetch(new URL(next, readings), {
      headers: { 'Pullwire-Key': world.callerKey },
    });
    const page = (await answer.json()) as { readings: Told[]; next?: string };
    all.push(...page.readings);
    next = page.next && `?limit=100&cursor=${encodeURIComponent(page.next)}`;
  }
  return all;
}

/** What the spool of a dead agent holds: it had counted as taken. */
function spooled(): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'pullwire-spooled-'));
  for (const file of ['spool.db', 'spool.db-wal']) {
    const from = join(world.folder, file);
    if (existsSync(from)) cpSync(from, join(folder, file));
  }
  const db = new DatabaseSync(join(folder, 'spool.db'));
  const rows = db.prepare('SELECT body FROM readings ORDER BY id').all();
  db.close();
  rmSync(folder, { recursive: true });
  return rows.map(({ body }) => Buffer.from(body as Uint8Array).toString());
}

async function asked(more: number): Promise<void> {
  const wanted = said.length + more;
  while (said.length < wanted) await once(asks, 'asked');
}

test(`readings of each second, the link away, the agent killed twice and the relay once: each that was taken is stored once; rounds: ${rounds}`, {
  timeout: 120_000 + rounds * 300_000,
}, async () => {
  const taken = new Set<string>();
  for (let round = 0; round < rounds; round += 1) {
    await world.startAgent();
    await asked(2);
    await path.refuse();
    path.reset();
    for (let kill = 0; kill < 2; kill += 1) {
      await asked(offline);
      await world.agent.kill();
      for (const body of spooled()) taken.add(body);
      world.runAgentAgain();
    }
    await world.relay.kill();
    await world.startRelay();
    await path.accept();
    await world.agent.line('link open', 0);
    await expect
      .poll(
        async () => {
          const bodies = new Set((await stored()).map(({ body }) => body));
          return [...taken].filter((body) => !bodies.has(body));
        },
        { timeout: 60_000, interval: 500 },
      )
      .toEqual([]);
    await world.agent.stop();
  }
  const all = await stored();
  const bodies = all.map(({ body }) => body);
  expect(taken.size).toBeGreaterThanOrEqual(rounds * offline);
  expect(new Set(bodies).size).toBe(bodies.length);
  expect(new Set(all.map(({ at }) => at)).size).toBe(all.length);
  expect(bodies.filter((body) => !said.includes(body))).toEqual([]);
  process.stdout.write(
    `${said.length} asked, ${taken.size} seen in the spool of a killed agent, ${all.length} stored\n`,
  );
});
