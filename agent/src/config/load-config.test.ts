import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loopbackCertificate } from '../link/loopback-certificate.ts';
import type { AgentConfig } from './agent-config.ts';
import { ConfigError } from './config-error.ts';
import { describeConfig } from './config-setting.ts';
import { type ConfigOrigins, loadConfig } from './load-config.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pullwire-config-'));
});

afterEach(() => rm(folder, { recursive: true }));

async function load(text: string, over: Partial<ConfigOrigins> = {}): Promise<AgentConfig> {
  const file = join(folder, 'agent.yaml');
  await writeFile(file, text);
  return loadConfig({ file, env: {}, flags: {}, workingFolder: '/work', ...over });
}

async function problems(text: string, over: Partial<ConfigOrigins> = {}): Promise<string[]> {
  const error: unknown = await load(text, over).then(
    () => undefined,
    (reason) => reason,
  );
  if (!(error instanceof ConfigError)) throw new Error(`no ConfigError but ${error}`);
  return error.message.split('\n');
}

const minimal = `
relay: wss://relay.example
device: plant-7
sources: {}
`;

describe('loadConfig', () => {
  it('fills in the defaults, and what follows from other settings', async () => {
    expect(await load(minimal)).toEqual({
      relay: 'wss://relay.example/link',
      device: 'plant-7',
      instance: 'main',
      keyFile: join(folder, 'device.key'),
      tokenFile: null,
      enrollUrl: null,
      audience: 'relay.example',
      insecure: false,
      ca: undefined,
      subprotocols: ['pullwire.v1+bin', 'pullwire.v1+json'],
      uploadHosts: ['*.amazonaws.com', '*.amazonaws.com.cn'],
      heartbeat: { minMs: 1_000, maxMs: 600_000 },
      metered: { dailyBytes: null },
      redial: { baseMs: 1_000, capMs: 60_000, stableMs: 30_000 },
      drainMs: 10_000,
      maxPulls: 512,
      controlSocket: join(folder, 'device.key.main.sock'),
      health: { listen: null, insecure: false },
      spool: { path: join(folder, 'spool.db'), maxBytes: 67_108_864, maxAgeHours: 168 },
      log: { level: 'info' },
      labels: {},
      sources: new Map(),
      schedules: new Map(),
    });
  });

  it('of an enrolled device knows who it is and where it dials', async () => {
    const record = JSON.stringify({ device: 'plant-9', relay: 'wss://relay.example/live' });
    await writeFile(join(folder, 'device.key.json'), record);
    expect(await load('sources: {}\n')).toMatchObject({
      device: 'plant-9',
      relay: 'wss://relay.example/live',
      audience: 'relay.example',
    });
    // Where the relay is, people may know better.
    expect(await load('relay: wss://other.example/live\n')).toMatchObject({
      device: 'plant-9',
      relay: 'wss://other.example/live',
    });
    await expect(load('device: plant-7\n')).rejects.toThrow(
      /device: expected plant-9, as which the key in .*device\.key was enrolled; found "plant-7"/,
    );
  });

  it('without sources is a device that cannot be asked for anything', async () => {
    const config = await load('relay: wss://relay.example\ndevice: plant-7\n');
    expect(config.sources).toEqual(new Map());
  });

  it('offers no subprotocol where the encodings are none, in the file, a variable or a flag', async () => {
    expect(await load(`${minimal}encodings: []\n`)).toMatchObject({ subprotocols: [] });
    const env = { PULLWIRE_AGENT_ENCODINGS: 'none' };
    expect(await load(minimal, { env })).toMatchObject({ subprotocols: [] });
    expect(await load(minimal, { flags: { encodings: '' } })).toMatchObject({ subprotocols: [] });
  });

  it('takes names of hosts at which large replies may be stored, and no URLs', async () => {
    const flags = { uploadHosts: 's3.example.com, *.store.example, 10.0.0.7' };
    expect(await load(minimal, { flags })).toMatchObject({
      uploadHosts: ['s3.example.com', '*.store.example', '10.0.0.7'],
    });
    for (const host of ['https://s3.example.com', 's3.example.com:443', '*', 'a b']) {
      expect(await problems(`${minimal}uploadHosts: ['${host}']\n`)).toEqual([
        'uploadHosts: expected a list of host names such as s3.example.com or *.example.com, or none',
      ]);
    }
  });

  it('takes a budget of bytes from the file, a variable or a flag, with its unit', async () => {
    const file = `${minimal}metered: { dailyBytes: 100KB }\n`;
    expect((await load(file)).metered).toEqual({ dailyBytes: 100_000 });
    const env = { PULLWIRE_AGENT_METERED_DAILY_BYTES: '2MiB' };
    expect((await load(file, { env })).metered).toEqual({ dailyBytes: 2_097_152 });
    const flags = { 'metered.dailyBytes': '5000' };
    expect((await load(file, { env, flags })).metered).toEqual({ dailyBytes: 5_000 });
    expect(await problems(`${minimal}metered: { dailyBytes: lots }\n`)).toEqual([
      'metered.dailyBytes: expected bytes from 1 to 1000000000, as a number or like 500B, 64KiB or 10MB; found "lots"',
    ]);
  });

  it('cannot be changed afterwards', async () => {
    const config = await load(minimal);
    expect(() => Object.assign(config.redial, { baseMs: 1 })).toThrow(TypeError);
  });

  it('reads JSON too', async () => {
    const text = '{"relay":"ws://127.0.0.1:8080","device":"d","sources":{}}';
    expect(await load(text)).toMatchObject({ relay: 'ws://127.0.0.1:8080/link' });
  });

  it('takes flags over environment over file', async () => {
    const text = `${minimal}maxPulls: 1\ndrainMs: 1s\nlog: { level: debug }\n`;
    const env = {
      PULLWIRE_AGENT_MAX_PULLS: '2',
      PULLWIRE_AGENT_DRAIN: '2s',
      PULLWIRE_AGENT_DEVICE: '',
    };
    expect(
      await load(text, { env, flags: { maxPulls: '3', 'log.level': undefined } }),
    ).toMatchObject({
      maxPulls: 3,
      drainMs: 2_000,
      device: 'plant-7',
      log: { level: 'debug' },
    });
  });

  it('finds the file by the environment', async () => {
    await load(minimal);
    const env = { PULLWIRE_AGENT_CONFIG: 'agent.yaml' };
    expect(loadConfig({ file: undefined, env, flags: {}, workingFolder: folder }).device).toBe(
      'plant-7',
    );
  });

  it('takes paths in the file from its folder, and others from the working folder', async () => {
    const text = `${minimal}keyFile: keys/a.key\n`;
    expect((await load(text)).keyFile).toBe(join(folder, 'keys/a.key'));
    expect((await load(text, { flags: { keyFile: 'b.key' } })).keyFile).toBe('/work/b.key');
    expect((await load(text, { env: { PULLWIRE_AGENT_KEY_FILE: '/c.key' } })).keyFile).toBe(
      '/c.key',
    );
  });

  it('reads the authorities', async () => {
    await writeFile(join(folder, 'ca.pem'), loopbackCertificate.cert);
    expect((await load(`${minimal}ca: ca.pem\n`)).ca).toBe(loopbackCertificate.cert);
  });

  it('can turn the binary encoding off', async () => {
    const env = { PULLWIRE_AGENT_ENCODINGS: 'json' };
    expect((await load(minimal, { env })).subprotocols).toEqual(['pullwire.v1+json']);
  });

  it('keeps labels and sources whose names have dots', async () => {
    const config =
      await load(`${minimal.replace('{}', '{ a.b: { kind: file, root: /tmp, allow: [{ paths: [/**] }] } }')}
labels: { site.name: north }
`);
    expect(config.labels).toEqual({ 'site.name': 'north' });
    expect([...config.sources.keys()]).toEqual(['a.b']);
  });

  it('reports every mistake at once: where it is, what is expected, what stands there', async () => {
    const text = `
relay: https://user:hunter2@relay.example
device: -x
instnace: b
token: hunter2
drainMs: soon
maxPulls: 0
encodings: [bin, bin]
insecure: perhaps
heartbeat: 5
redial: { baseMs: 10s, cap: 5 }
ca: nowhere.pem
labels: { rack: 3, 'a b': c }
sources: { metrics: { kind: ftp } }
`;
    expect(await problems(text, { env: { PULLWIRE_AGENT_DEVISE: 'x' } })).toEqual([
      'instnace: expected no such setting; did you mean "instance"?',
      'token: expected no such setting; see pullwire-agent --help',
      'heartbeat: expected a map of settings',
      'redial.cap: expected no such setting; did you mean "redial.capMs"?',
      'PULLWIRE_AGENT_DEVISE: expected no such variable; see --help',
      'relay: expected a URL such as wss://relay.example, without user, query and fragment; found "https://…@relay.example"',
      'device: expected 1 to 128 of A–Z a–z 0–9 . _ : -, beginning with a letter or digit; found "-x"',
      'insecure: expected true or false; found "perhaps"',
      'encodings: expected a list of bin and json, each once at most, or none',
      'drainMs: expected milliseconds from 0 to 3600000, as a number or like 500ms, 30s or 5m; found "soon"',
      'maxPulls: expected a whole number from 1 to 10000; found 0',
      'labels.rack: expected text of at most 256 characters (in YAML, quote numbers); found 3',
      'labels.a b: expected a name of 1 to 64 of A–Z a–z 0–9 . _ / -; found "a b"',
      expect.stringMatching(
        /^sources\.metrics\.kind: expected http, file or command; found "ftp"$/,
      ),
      expect.stringMatching(/^ca: expected a readable file of certificates in PEM \(ENOENT\)/),
    ]);
  });

  it('reports what is missing', async () => {
    expect(await problems('sources: 3')).toEqual([
      expect.stringMatching(
        /^relay: expected a URL such as wss:\/\/relay.example.*, or a device that is enrolled: pullwire-agent enroll /,
      ),
      expect.stringMatching(/^device: expected 1 to 128/),
      'sources: expected a map of source names',
    ]);
  });

  it.each([
    ['ws://relay.example', false],
    ['ws://10.0.0.1:8080', false],
    ['ws://127.0.0.1.example', false],
    ['ws://127.0.0.1:8080', true],
    ['ws://127.8.8.8', true],
    ['ws://localhost:8080', true],
    ['ws://[::1]:8080', true],
    ['wss://relay.example', true],
  ])('lets %s pass in the clear: %s', async (relay, passes) => {
    const text = minimal.replace('wss://relay.example', relay);
    if (passes) await load(text);
    else
      expect(await problems(text)).toEqual([
        expect.stringMatching(/^relay: expected wss:\/\/ off loopback/),
      ]);
    await load(`${text}insecure: true\n`);
  });

  it.each([
    ['http://10.0.0.1:9100', false],
    ['http://127.0.0.1:9100', true],
    ['https://10.0.0.1', true],
    ['unix:/run/metrics.sock', true],
  ])('lets a source at %s pass in the clear: %s', async (url, passes) => {
    const source = `{ metrics: { kind: http, url: '${url}', allow: [{ paths: [/metrics] }] } }`;
    const text = minimal.replace('{}', source);
    if (passes) await load(text);
    else {
      expect(await problems(text)).toEqual([
        expect.stringMatching(/^sources\.metrics\.url: expected https:\/\/ off loopback/),
      ]);
    }
    await load(`${text}insecure: true\n`);
  });

  it.each([
    ['127.0.0.1:9464', true],
    ['[::1]:9464', true],
    ['localhost:0', true],
    ['0.0.0.0:9464', false],
    ['[::]:9464', false],
    ['10.0.0.1:9464', false],
    ['gateway.example:9464', false],
  ])('lets monitors ask at %s: %s', async (listen, passes) => {
    const text = `${minimal}insecure: true\nhealth: { listen: '${listen}' }\n`;
    if (passes) await load(text);
    else {
      expect(await problems(text)).toEqual([
        expect.stringMatching(/^health\.listen: expected a loopback address/),
      ]);
    }
    await load(text.replace(' }', ', insecure: true }'));
  });

  it('tells two agents of one key apart by their sockets', async () => {
    const { controlSocket } = await load(`${minimal}keyFile: id/d.key\ninstance: b\n`);
    expect(controlSocket).toBe(join(folder, 'id/d.key.b.sock'));
    const set = await load(`${minimal}controlSocket: run/a.sock\n`);
    expect(set.controlSocket).toBe(join(folder, 'run/a.sock'));
  });

  it('compares bounds', async () => {
    const text = `${minimal}heartbeat: { minMs: 10, maxMs: 5 }\nredial: { baseMs: 2m }\n`;
    expect(await problems(text)).toEqual([
      'heartbeat.minMs: expected at most heartbeat.maxMs, which is 5; found 10',
      'redial.baseMs: expected at most redial.capMs, which is 60000; found 120000',
    ]);
  });

  it.each([
    ['a: [1', /agent\.yaml:1:6: expected YAML or JSON/],
    ['device: a\ndevice: hunter2', /agent\.yaml:2:1: expected YAML or JSON \(duplicate key\)$/],
    ['- relay', /agent\.yaml: expected settings by their names$/],
    ['device: *hunter2', /agent\.yaml: expected no such aliases|expected YAML or JSON/],
  ])('says where a file is broken, without quoting it: %j', async (text, message) => {
    const [line] = await problems(text);
    expect(line).toMatch(message);
    expect(line).not.toContain('hunter2');
  });

  it('says which file it cannot read', async () => {
    const file = join(folder, 'nowhere.yaml');
    expect(() => loadConfig({ file, env: {}, flags: {}, workingFolder: '/' })).toThrow(
      `${file}: expected a configuration file that can be read (ENOENT)`,
    );
  });

  it('says how to name a file', () => {
    expect(() => loadConfig({ file: undefined, env: {}, flags: {}, workingFolder: '/' })).toThrow(
      'configuration: expected a file, named by --config FILE or PULLWIRE_AGENT_CONFIG',
    );
  });

  it('is not fooled by keys that are names of Object', async () => {
    const [line] = await problems(
      `${minimal}__proto__: { device: x }\nconstructor: { prototype: { x: 1 } }\n`,
    );
    expect(line).toContain('no such setting');
    expect(({} as { device?: string }).device).toBeUndefined();
  });
});

describe('describeConfig', () => {
  it('names each setting once, with its variable and option', () => {
    const settings = describeConfig();
    for (const field of ['key', 'env', 'flag'] as const) {
      const names = settings.map((setting) => setting[field]).filter((name) => name !== undefined);
      expect(new Set(names).size).toBe(names.length);
    }
    expect(settings.map(({ key }) => key)).toContain('redial.capMs');
    expect(settings.filter(({ env }) => env === undefined).map(({ key }) => key)).toEqual([
      'labels',
      'sources',
      'schedules',
    ]);
  });
});
