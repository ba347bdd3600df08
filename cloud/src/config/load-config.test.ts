import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConfigError } from './config-error.ts';
import { type ConfigSources, loadConfig } from './load-config.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pw-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function load(sources: Partial<ConfigSources> & { text?: string } = {}) {
  const { text, ...others } = sources;
  const file = join(folder, 'relay.yaml');
  if (text !== undefined) writeFileSync(file, text);
  return loadConfig({
    file: text === undefined ? undefined : file,
    env: {},
    flags: {},
    workingFolder: folder,
    ...others,
  });
}

function mistakesOf(sources: Parameters<typeof load>[0]): readonly string[] {
  try {
    load(sources);
  } catch (error) {
    if (error instanceof ConfigError) return error.mistakes;
    throw error;
  }
  throw new Error('the configuration was accepted');
}

describe('the configuration', () => {
  it('has a default for everything', () => {
    expect(load()).toEqual({
      listen: { host: '127.0.0.1', port: 8080 },
      dataFolder: join(folder, '.pullwire'),
      publicUrl: undefined,
      tls: undefined,
      trustedProxy: [],
      insecure: false,
      table: undefined,
      connectionsUrl: undefined,
      issuers: [],
      limits: {
        pullsPerLink: 512,
        pullsPerCaller: 512,
        links: 10_000,
        requestBodyBytes: 1_073_741_824,
        headBytes: 16_384,
      },
      heartbeat: { intervalMs: 25_000, maxIntervalMs: 240_000, timeoutMs: 10_000 },
      queue: {
        defaultMs: 86_400_000,
        maxMs: 604_800_000,
        keepMs: 86_400_000,
        perDevice: 100,
        perCaller: 1_000,
        requestBytes: 8_388_608,
        replyBytes: 33_554_432,
        perCallerBytes: 1_073_741_824,
      },
      readings: { retentionDays: 30, bytesPerDay: 268_435_456 },
      linkLifeMs: 0,
      takeOverMs: 0,
      deadline: { defaultMs: 30_000, maxMs: 600_000 },
      idleMs: 60_000,
      drainMs: 10_000,
      metrics: undefined,
      logLevel: 'info',
    });
  });

  it('is frozen to its depth', () => {
    const config = load();
    expect(Object.isFrozen(config)).toBe(true);
    expect(Object.isFrozen(config.limits)).toBe(true);
    expect(Object.isFrozen(config.trustedProxy)).toBe(true);
  });

  it('takes a file under the environment, and flags over both', () => {
    const text = 'listen: 127.0.0.1:1\ndataFolder: file\nlogLevel: debug\nidleMs: 5000\n';
    const env = { PULLWIRE_RELAY_LISTEN: '127.0.0.1:2', PULLWIRE_RELAY_DATA: 'env' };
    const config = load({ text, env, flags: { listen: '127.0.0.1:3' } });
    expect(config.listen.port).toBe(3);
    expect(config.dataFolder).toBe(join(folder, 'env'));
    expect(config.logLevel).toBe('debug');
    expect(config.idleMs).toBe(5_000);
  });

  it('takes JSON as well, and the path of the file from the environment', () => {
    const path = join(folder, 'relay.json');
    writeFileSync(path, JSON.stringify({ limits: { links: 7 }, trustedProxy: ['10.0.0.0/8'] }));
    const config = load({ env: { PULLWIRE_RELAY_CONFIG: path } });
    expect(config.limits.links).toBe(7);
    expect(config.limits.pullsPerLink).toBe(512);
    expect(config.trustedProxy).toEqual(['10.0.0.0/8']);
  });

  it('takes an empty file and empty variables as nothing said', () => {
    const env = { PULLWIRE_RELAY_LISTEN: '', PULLWIRE_RELAY_INSECURE: '' };
    expect(load({ text: '', env })).toEqual(load());
  });

  it('reads numbers, switches and lists from text', () => {
    const config = load({
      env: {
        PULLWIRE_RELAY_LIMITS_LINKS: '12',
        PULLWIRE_RELAY_INSECURE: 'true',
        PULLWIRE_RELAY_TRUSTED_PROXY: '10.0.0.1, ::1',
      },
    });
    expect(config.limits.links).toBe(12);
    expect(config.insecure).toBe(true);
    expect(config.trustedProxy).toEqual(['10.0.0.1', '::1']);
  });

  it('says every mistake at once, with its key, what is expected and the value', () => {
    const text = `
listen: 8080
idleMs: -1
limits: 5
heartbeat: { intervalMs: soon, beat: 3 }
trustedProxy: [10.0.0.0/33]
colour: red
`;
    const env = { PULLWIRE_RELAY_INSECURE: '0', PULLWIRE_RELAY_LISTENN: 'x' };
    const mistakes = mistakesOf({ text, env, flags: { logLevel: 'loud' } });
    expect(mistakes.toSorted()).toEqual([
      'PULLWIRE_RELAY_LISTENN: there is no such variable',
      'colour: there is no such setting: value was "red"',
      'heartbeat.beat: there is no such setting: value was 3',
      'heartbeat.intervalMs: must be a whole number from 100 to 600000: value was "soon"',
      'idleMs: must be a whole number from 100 to 86400000: value was -1',
      'insecure: must be true or false: value was "0"',
      'limits: must be a section: value was 5',
      'listen: must be host:port, such as 127.0.0.1:8080 or [::1]:8080: value was 8080',
      'logLevel: must be one of fatal, error, warn, info, debug, trace, silent: value was "loud"',
      'trustedProxy: must be true, or IP addresses and blocks such as 10.0.0.0/8: value was ["10.0.0.0/33"]',
    ]);
  });

  it.each([
    ['idleMs: 0', 'idleMs: must be a whole number from 100 to 86400000: value was 0'],
    ['idleMs: null', 'idleMs: must be a whole number from 100 to 86400000: value was null'],
    ['idleMs: 1.5', 'idleMs: must be a whole number from 100 to 86400000: value was 1.5'],
    ['listen: {a: {b: 1}}', 'listen: must be a value: value was {"a":{"b":1}}'],
    ['listen: "127.0.0.1:65536"', 'listen: must be host:port'],
    ['listen: "::1:80"', 'listen: must be host:port'],
    ['insecure: yes please', 'insecure: must be true or false'],
    ['publicUrl: relay.example', 'publicUrl: must be a URL such as https://relay.example'],
    ['publicUrl: https://me:secret@relay.example', 'publicUrl: must be a URL'],
    ['trustedProxy: false', 'trustedProxy: must be true, or IP addresses'],
    ['tls: {cert: /nowhere, key: /nowhere}', 'tls.cert: must be a file that can be read'],
    ['table: {name: x}', 'table.name: must be 3 to 255 letters'],
    ['table: {name: pullwire}', 'table.region: must be set where table.name is'],
    ['table: {endpoint: "http://127.0.0.1:1"}', 'table.name: must be set where table.endpoint is'],
    [
      'deadline: {defaultMs: 2000, maxMs: 1000}',
      'deadline.defaultMs: must be at most deadline.maxMs',
    ],
    ['queue: {perCallerBytes: 1000}', 'queue.perCallerBytes: must be at least queue.requestBytes'],
    ['"__proto__": {listen: x}', '__proto__: there is no such setting'],
    ['- a', 'must hold settings by their names'],
    ['a: [', 'cannot be read'],
  ])('refuses %j', (text, expected) => {
    expect(mistakesOf({ text }).join('\n')).toContain(expected);
  });

  it('says that its file cannot be read', () => {
    expect(mistakesOf({ file: 'nowhere.yaml' }).join()).toContain(join(folder, 'nowhere.yaml'));
  });

  it('takes a table with the region of the AWS environment', () => {
    const flags = { 'table.name': 'pullwire' };
    expect(load({ flags, env: { AWS_REGION: 'eu-west-1' } }).table).toEqual({
      name: 'pullwire',
      region: 'eu-west-1',
      endpoint: undefined,
    });
    expect(load({ env: { AWS_REGION: 'eu-west-1' } }).table).toBeUndefined();
  });
});

describe('listening off loopback', () => {
  const open = { listen: '0.0.0.0:8080' };
  const metrics = { 'metrics.listen': '0.0.0.0:9465' };

  it('lets nobody else read the metrics, unless that was meant', () => {
    expect(mistakesOf({ flags: { ...metrics, insecure: true } })).toEqual([
      expect.stringMatching(/^metrics\.listen: 0\.0\.0\.0:9465 is open to other machines/),
    ]);
    expect(load({ flags: { ...metrics, 'metrics.insecure': true } }).metrics).toEqual({
      host: '0.0.0.0',
      port: 9465,
    });
    expect(load({ flags: { 'metrics.listen': '[::1]:0' } }).metrics).toEqual({
      host: '::1',
      port: 0,
    });
  });

  it('in the clear is refused, and the message says the three ways', () => {
    const [mistake] = mistakesOf({ flags: open });
    for (const way of ['--tls-cert', '--trusted-proxy', '--insecure'])
      expect(mistake).toContain(way);
  });

  it.each(['127.0.0.1:1', '127.9.9.9:1', '[::1]:1', 'localhost:1'])(
    'does not mean %s',
    (listen) => {
      expect(load({ flags: { listen } }).listen.port).toBe(1);
    },
  );

  it.each(['192.168.1.5:1', '[::]:1', 'relay.example:1', '0.0.0.0:1', 'localhost.example:1'])(
    'means %s',
    (listen) => {
      expect(mistakesOf({ flags: { listen } }).length).toBe(1);
    },
  );

  it('is let in by each of the three', () => {
    const pem = join(folder, 'some.pem');
    writeFileSync(pem, '');
    expect(load({ flags: { ...open, insecure: true } }).insecure).toBe(true);
    expect(load({ flags: { ...open, trustedProxy: 'true' } }).trustedProxy).toBe(true);
    const tls = load({ flags: { ...open, 'tls.cert': pem, 'tls.key': pem } }).tls;
    expect(tls).toEqual({ cert: pem, key: pem });
    expect(mistakesOf({ flags: { ...open, 'tls.cert': pem } })[0]).toContain(
      'tls.key: must be set',
    );
  });
});
