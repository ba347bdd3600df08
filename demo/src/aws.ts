import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildPrograms } from '../../cloud/test/ministack/build-programs.ts';
import { findMinistack } from '../../cloud/test/ministack/find-ministack.ts';
import { MinistackWorld } from '../../cloud/test/ministack/ministack-world.ts';
import type { Passage } from '../../cloud/test/ministack/tap.ts';
import { type Exchange, traceLines } from './aws-trace.ts';
import { Factory } from './factory.ts';
import { bold, dim, excerpt, green, red, say } from './page.ts';

const device = 'demo-1';
const path = '/metrics';

/**
 * `npm run demo:aws`: the functions as they ship on ministack, an agent, and the same pull twice, each with a trace of
 * its hops. `--keep`: stays up until Ctrl-C.
 */
async function main(): Promise<void> {
  const { values: flags } = parseArgs({ options: { keep: { type: 'boolean', default: false } } });
  const found = findMinistack();
  if ('skip' in found) throw new Error(found.skip);
  const folder = await mkdtemp(join(tmpdir(), 'pullwire-demo-'));
  const factory = new Factory(folder);
  const passages: Passage[] = [];
  let world: MinistackWorld | undefined;
  const stop = async (): Promise<void> => {
    await world?.stop();
    await factory.stop();
    await rm(folder, { recursive: true, force: true });
  };
  const interrupted = new Promise<void>((resolve) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
  });
  try {
    const url = await factory.start();
    await buildPrograms();
    world = await MinistackWorld.start({
      device,
      sources: { metrics: { kind: 'http', url, allow: [{ paths: [path] }] } },
      told: (passage) => passages.push(passage),
      progress: (what) => say(`${green('✓')} ${what}`),
    });
    say();
    for (const title of ['the first pull: everything is cold', 'the same pull again: warm']) {
      await show(title, world, passages);
    }
    if (flags.keep) {
      // As a header in a file: `curl -H @file` keeps the key out of the argument list.
      const headerFile = join(folder, 'caller.header');
      await writeFile(headerFile, `Pullwire-Key: ${world.callerKey}\n`, { mode: 0o600 });
      say(`  curl -H @${headerFile} '${world.relay.httpUrl}${world.path('metrics', path)}'`);
      say(dim(`Ctrl-C ends it and removes ${folder}.`));
      await interrupted;
    }
  } finally {
    await stop();
  }
}

async function show(title: string, world: MinistackWorld, passages: Passage[]): Promise<void> {
  passages.length = 0;
  const startedAt = performance.now();
  const response = await world.pull('metrics', path);
  const body = await response.text();
  const endedAt = performance.now();
  if (!response.ok) throw new Error(`${title}: ${response.status} ${body}`);
  const exchange: Exchange = { startedAt, endedAt, status: response.status, passages };
  say(bold(title));
  for (const line of traceLines(exchange)) say(line);
  say(dim(`  ${response.headers.get('server-timing')}`));
  say(excerpt(body, 3));
  say();
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    say(red(`The demo stopped: ${error instanceof Error ? error.message : String(error)}`));
    process.exit(1);
  },
);
