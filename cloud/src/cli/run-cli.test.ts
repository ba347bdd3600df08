import { generateKeyPairSync } from 'node:crypto';
import { chmodSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { hashCallerKey } from '../auth/caller-key.ts';
import { describeConfig } from '../config/config-setting.ts';
import { DynamoRegistry } from '../registry/dynamo-registry.ts';
import { startEngine } from '../server/engine.ts';
import { TemporaryCli } from './temporary-cli.ts';

const publicKey = `ed25519:${generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x}`;
const now = 1_800_000_000_000;

let cli: TemporaryCli;
let folder: string;
beforeEach(() => {
  cli = new TemporaryCli();
  folder = cli.folder;
});
afterEach(() => {
  vi.unstubAllEnvs();
  cli.remove();
});

const run = (args: string, env: Record<string, string> = {}) => cli.run(args, env);

describe('device', () => {
  it('add, list and remove keep the registry in the data folder', async () => {
    const added = await run(`device add plant-7 --public-key ${publicKey} --label a=1 --label b=`);
    expect(added).toEqual({ code: 0, stdout: '', stderr: 'device plant-7 added\n' });
    const listed = await run('device list');
    expect(listed.stdout.split('\n')[1]).toBe(
      'plant-7  2027-01-15 08:00:00Z  never      its own  a=1 b=',
    );
    expect(JSON.parse((await run('device list --json')).stdout)).toEqual([
      {
        record: { device: 'plant-7', publicKey, labels: { a: '1', b: '' }, createdAt: now },
        links: [],
      },
    ]);
    const removed = await run('device remove plant-7');
    expect(removed).toEqual({ code: 0, stdout: '', stderr: 'device plant-7 removed\n' });
    expect((await run('device list --json')).stdout).toBe('[]\n');
  });

  it('add takes the same key again, and refuses another one', async () => {
    await run(`device add plant-7 --public-key ${publicKey}`);
    const again = await run(`device add plant-7 --public-key ${publicKey} --label a=1`);
    expect(again).toMatchObject({ code: 0, stderr: expect.stringContaining('is known already') });
    const other = publicKey.replace(/:./, publicKey[8] === 'A' ? ':B' : ':A');
    const refused = await run(`device add plant-7 --public-key ${other}`);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining('another key') });
  });

  it('remove of an unknown device fails', async () => {
    expect(await run('device remove plant-7')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'pullwire-relay: there is no device plant-7\n',
    });
  });
});

describe('key', () => {
  it('add prints the key alone on stdout, and stores its hash alone', async () => {
    const { code, stdout, stderr } = await run('key add --name ops');
    expect(code).toBe(0);
    expect(stdout).toMatch(/^pwk_[a-z2-9]{6}_[A-Za-z0-9_-]{43}\n$/);
    expect(stderr).toContain('GET HEAD on sources * of devices *; never expires');
    const key = stdout.trim();
    expect(stderr).not.toContain(key);
    const [record] = JSON.parse((await run('key list --json')).stdout);
    expect(record).toEqual({
      id: key.slice(4, 10),
      name: 'ops',
      prefix: key.slice(0, 10),
      grants: [{ devices: ['*'], sources: ['*'], methods: ['GET', 'HEAD'] }],
      createdAt: now,
    });
    const stored = await stores((registry) => registry.keyByHash(hashCallerKey(key)));
    expect(stored?.name).toBe('ops');
  });

  it('add takes grants, an expiry and the right to manage', async () => {
    const args =
      'key add --name n --devices plant-*,office-1 --devices x --label site=north --sources log-* --methods get,* --manage --expires 90d';
    const { stderr } = await run(args);
    expect(stderr).toContain(
      'GET * on sources log-* of devices plant-* office-1 x with site=north',
    );
    const [record] = JSON.parse((await run('key list --json')).stdout);
    expect(record).toMatchObject({
      grants: [
        {
          devices: ['plant-*', 'office-1', 'x'],
          labels: { site: 'north' },
          sources: ['log-*'],
          methods: ['GET', '*'],
          manage: true,
        },
      ],
      expiresAt: now / 1_000 + 90 * 86_400,
    });
  });

  it('revoke ends a key by its id or its prefix, once', async () => {
    const id = (await run('key add --name ops')).stdout.slice(4, 10);
    expect(await run(`key revoke pwk_${id}`)).toMatchObject({
      code: 0,
      stderr: `key ${id} revoked\n`,
    });
    expect(await run(`key revoke ${id}`)).toMatchObject({
      code: 1,
      stderr: `pullwire-relay: there is no key ${id} in force\n`,
    });
    expect((await run('key list')).stdout).toContain('revoked 2027-01-15 08:00:00Z');
  });

  it('revoke refuses a whole key, without repeating it', async () => {
    const key = (await run('key add --name ops')).stdout.trim();
    const refused = await run(`key revoke ${key}`);
    expect(refused.code).toBe(2);
    expect(refused.stderr).not.toContain(key.slice(11));
  });
});

describe('a command', () => {
  it.each([
    ['', 'Usage: pullwire-relay'],
    ['bogus', "unknown command 'bogus'"],
    ['serve --bogus', "unknown option '--bogus'"],
    ['serve more', 'too many arguments'],
    ['serve --listen 8080', 'listen: must be host:port'],
    ['serve --listen 0.0.0.0:1', '--insecure'],
    ['serve --config nowhere.yaml', 'nowhere.yaml: cannot be read'],
    ['device', 'Usage: pullwire-relay device'],
    ['device add plant-7', 'one of --public-key and --issuer must be given'],
    ['device add plant-7 --public-key ed25519:x', '--public-key must be'],
    [`device add plant/7 --public-key ${publicKey}`, '"plant/7" is no device id'],
    [`device add plant-7 --public-key ${publicKey} --label x`, '--label must be name=value'],
    ['key add', "required option '--name <name>' not specified"],
    ['key add --name a --devices pl/ant', '--devices: "pl/ant" can match nothing'],
    ['key add --name a --sources Metrics', '--sources: "Metrics" can match nothing'],
    ['key add --name a --methods G(T', '--methods: "G(T" can match nothing'],
    ['key add --name a --expires never', '--expires must be such as 30m, 12h or 90d'],
    ['key list --table pullwire', 'table.region: must be set'],
  ])('that is wrong (%j) ends with 2, says why, and touches nothing', async (args, expected) => {
    const { code, stdout, stderr } = await run(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(expected);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('finds the registry where the configuration says', async () => {
    writeFileSync(join(folder, 'relay.yaml'), 'dataFolder: from-file\n');
    await run('key add --name a --config relay.yaml');
    await run('key add --name b', { PULLWIRE_RELAY_DATA: 'from-env' });
    await run('key add --name c --data from-flag');
    for (const [name, place] of [
      ['a', 'from-file'],
      ['b', 'from-env'],
      ['c', 'from-flag'],
    ]) {
      const keys = JSON.parse((await run(`key list --json --data ${place}`)).stdout);
      expect(keys.map((key: { name: string }) => key.name)).toEqual([name]);
    }
  });

  it('refuses a data folder that others can open', async () => {
    chmodSync(folder, 0o755);
    const { code, stderr } = await run('key list --data .');
    expect(code).toBe(1);
    expect(stderr).toContain(`run chmod 700 ${folder}`);
  });

  it('says that a table on AWS cannot be reached', async () => {
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'x'); // else the SDK would look for credentials in the network
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'x');
    const args = 'key list --table pullwire --region eu-west-1 --endpoint http://127.0.0.1:1';
    const { code, stderr } = await run(args);
    expect(code).toBe(1);
    expect(stderr).toMatch(/^pullwire-relay: .*table "pullwire"/);
  });

  it.each(['--help', 'serve --help', 'key add --help', '--version'])(
    '%s is no mistake',
    async (args) => {
      const { code, stdout, stderr } = await run(args);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(stdout).not.toBe('');
    },
  );

  it('serve --help names every setting, its variable and its option', async () => {
    const { stdout } = await run('serve --help');
    for (const { key, env, flag, doc } of describeConfig()) {
      for (const text of [`${key} (${env};`, doc]) expect(stdout).toContain(text);
      // Only commands reach for links that a gateway holds.
      if (key !== 'connectionsUrl') expect(stdout).toContain(flag ?? '');
    }
  });
});

/** Reads the registry of the folder as a server would. */
async function stores<T>(read: (registry: DynamoRegistry) => Promise<T>): Promise<T> {
  const { signal } = new AbortController();
  const onTrouble = (error: Error) => {
    throw error;
  };
  const dataFolder = join(folder, '.pullwire');
  const engine = await startEngine({ dataFolder, owner: 'server', signal, onTrouble });
  const client = engine.createClient();
  const registry = new DynamoRegistry({ client, name: 'pullwire', mayCreateTable: true });
  return read(registry).finally(() => {
    client.destroy();
    return engine.stop();
  });
}
