import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Factory } from './factory.ts';
import { bold, dim, excerpt, green, red, say } from './page.ts';
import { agentProgram, buildPrograms, Daemon, relayProgram, run } from './program.ts';

const preferredPort = 8080;
const device = 'demo-1';

/** One thing to look at through the relay. */
interface Look {
  readonly title: string;
  readonly path: string;
}

const looks: readonly Look[] = [
  {
    title: 'a service on the device, by HTTP',
    path: `/devices/${device}/sources/metrics/metrics`,
  },
  {
    title: 'the end of a log file',
    path: `/devices/${device}/sources/log/machine.log?tail=3`,
  },
  { title: 'a command: uptime', path: `/devices/${device}/sources/uptime/` },
];

async function main(): Promise<void> {
  const nodeMajor = Number(process.versions.node.split('.')[0]);
  if (nodeMajor < 24) {
    throw new Error(
      `Node 24 or newer is needed, this is ${process.version}. "npm ci" brings it on Linux; run "npm run demo" and not "node".`,
    );
  }
  const startedAt = performance.now();
  const folder = await mkdtemp(join(tmpdir(), 'pullwire-demo-'));
  const factory = new Factory(folder);
  const daemons: Daemon[] = [];
  const stop = async (): Promise<void> => {
    for (const daemon of daemons.reverse()) await daemon.stop();
    await factory.stop();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    await buildPrograms();
    const url = await bringUp(folder, factory, daemons);
    const headerFile = await addCaller(folder);
    await show(url, headerFile);
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1);
    say(dim(`Up after ${seconds} s. Ctrl-C ends it and removes ${folder}.`));
    for (const daemon of daemons) {
      daemon.onUnexpectedExit((said) => {
        say(red(said));
        void stop().then(() => process.exit(1));
      });
    }
  } catch (error) {
    await stop();
    throw error;
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => void stop().then(() => process.exit(0)));
  }
}

/** Relay, device and agent; resolves with the relay's URL when the agent's link is open. */
async function bringUp(folder: string, factory: Factory, daemons: Daemon[]): Promise<string> {
  const service = await factory.start();
  const data = join(folder, 'relay');
  const port = await freePort();
  const relay = new Daemon('the relay', relayProgram, [
    'serve',
    '--data',
    data,
    '--listen',
    `127.0.0.1:${port}`,
  ]);
  daemons.push(relay);
  const keyFile = join(folder, 'device.key');
  const [publicKey] = await Promise.all([
    run(agentProgram, ['keygen', '--out', keyFile]),
    relay.start('listening'),
  ]);
  say(`${green('✓')} relay listens on http://127.0.0.1:${port}`);
  await run(relayProgram, ['device', 'add', device, '--public-key', publicKey, '--data', data]);
  say(`${green('✓')} device ${device} has a key of its own; the relay knows the public half`);

  const config = join(folder, 'agent.json');
  await writeFile(config, JSON.stringify(agentConfig(port, keyFile, service, factory.logFolder)));
  const agent = new Daemon('the agent', agentProgram, ['run', '--config', config]);
  daemons.push(agent);
  await agent.start('link open');
  say(`${green('✓')} agent dialled out to the relay and offers metrics, log, uptime`);
  return `http://127.0.0.1:${port}`;
}

function agentConfig(port: number, keyFile: string, service: string, logs: string): object {
  return {
    relay: `ws://127.0.0.1:${port}/link`,
    device,
    keyFile,
    log: { level: 'info' },
    sources: {
      metrics: { kind: 'http', url: service, allow: [{ paths: ['/metrics'] }] },
      log: { kind: 'file', root: logs, allow: [{ paths: ['/', '/*.log'] }] },
      uptime: { kind: 'command', argv: ['uptime'], allow: [{ paths: ['/'] }] },
    },
  };
}

/** A caller's key, as a header in a file: `curl -H @file` keeps it out of the argument list. */
async function addCaller(folder: string): Promise<string> {
  const key = await run(relayProgram, [
    'key',
    'add',
    '--name',
    'demo',
    '--devices',
    'demo-*',
    '--methods',
    'GET,HEAD',
    '--data',
    join(folder, 'relay'),
  ]);
  const file = join(folder, 'caller.header');
  await writeFile(file, `Pullwire-Key: ${key}\n`, { mode: 0o600 });
  say(`${green('✓')} caller "demo" may GET from devices demo-*`);
  say();
  return file;
}

async function show(url: string, headerFile: string): Promise<void> {
  const key = (await readFile(headerFile, 'utf8')).slice('Pullwire-Key: '.length).trim();
  for (const [index, look] of looks.entries()) {
    const startedAt = performance.now();
    const response = await fetch(url + look.path, { headers: { 'Pullwire-Key': key } });
    const body = await response.text();
    const ms = (performance.now() - startedAt).toFixed(1);
    if (!response.ok) throw new Error(`pull ${index + 1} failed: ${response.status} ${body}`);
    say(`${bold(`Pull ${index + 1}: ${look.title}`)}`);
    say(`  ${green(String(response.status))} in ${ms} ms, ${body.length} bytes`);
    say(dim(`  ${response.headers.get('server-timing')}`));
    say(excerpt(body, 6));
    say(`  curl -H @${headerFile} '${url}${look.path}'`);
    say();
  }
}

/** 8080 where it is free, so that the printed lines look as in the README; any other port else. */
async function freePort(): Promise<number> {
  return (await tryPort(preferredPort)) ?? (await tryPort(0)) ?? preferredPort;
}

function tryPort(port: number): Promise<number | undefined> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const address = server.address();
      const found = address !== null && typeof address === 'object' ? address.port : undefined;
      server.close(() => resolve(found));
    });
  });
}

main().catch((error: unknown) => {
  say(red(`The demo stopped: ${error instanceof Error ? error.message : String(error)}`));
  process.exit(1);
});
