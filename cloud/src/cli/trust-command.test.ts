import { generateKeyPairSync } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isEnrolCode } from '../enroll/enrol-code.ts';
import { TemporaryCli } from './temporary-cli.ts';

const publicKey = `ed25519:${generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' }).x}`;

let cli: TemporaryCli;
beforeEach(() => {
  cli = new TemporaryCli();
});
afterEach(() => cli.remove());

const run = (args: string) => cli.run(args);

describe('enroll-code', () => {
  it('prints the code alone on stdout, and stores its hash alone', async () => {
    const args = 'enroll-code --device plant-7 --label site=north --public-url https://r.example';
    const { code, stdout, stderr } = await run(args);
    expect(code).toBe(0);
    const secret = stdout.trim();
    expect(isEnrolCode(secret)).toBe(true);
    expect(stderr).toContain(
      'for device plant-7, labelled site=north; good once, until 2027-01-15 09:00:00Z',
    );
    expect(stderr).toContain('pullwire-agent enroll --relay https://r.example --code CODE\n');
    expect(stderr).not.toContain(secret);
    expect(await cli.list('enroll-code')).toEqual([
      {
        id: secret.slice(4, 10),
        device: 'plant-7',
        labels: { site: 'north' },
        createdAt: cli.now,
        expiresAt: cli.now / 1_000 + 3_600,
      },
    ]);
  });

  it('names no relay that nobody named, and asks for the device where the code is for any', async () => {
    const { stderr } = await run('enroll-code --ttl 30d');
    expect(stderr).toContain('for any new device; good once, until 2027-02-14 08:00:00Z');
    expect(stderr).toContain('enroll --relay URL --device ID --code CODE (URL: the address');
  });

  it('for a device that is known needs --replace', async () => {
    await run(`device add plant-7 --public-key ${publicKey}`);
    const refused = await run('enroll-code --device plant-7');
    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('the device plant-7 is known already: with --replace');
    const made = await run('enroll-code --device plant-7 --replace');
    expect(made.code).toBe(0);
    expect(await cli.list('enroll-code')).toMatchObject([{ device: 'plant-7', replaces: true }]);
  });

  it('list shows what has become of the codes, and remove takes one back, once', async () => {
    const id = (await run('enroll-code --device plant-7 --ttl 30m')).stdout.slice(4, 10);
    expect((await run('enroll-code list')).stdout.split('\n')[1]).toBe(
      `${id}  plant-7  good until 2027-01-15 08:30:00Z  2027-01-15 08:00:00Z`,
    );
    cli.now += 3_600_000;
    expect((await run('enroll-code list')).stdout).toContain('expired 2027-01-15 08:30:00Z');
    expect(await run(`enroll-code remove pwe_${id}`)).toMatchObject({
      code: 0,
      stderr: `code ${id} removed\n`,
    });
    expect(await run(`enroll-code remove ${id}`)).toMatchObject({ code: 1 });
  });
});

describe('device', () => {
  it('revoke keeps it known, says why, and is said once', async () => {
    await run(`device add plant-7 --public-key ${publicKey}`);
    expect((await run('device revoke plant-7 --reason stolen')).stderr).toContain('revoked;');
    cli.now += 60_000;
    const again = await run('device revoke plant-7 --reason lost');
    expect(again).toMatchObject({
      code: 0,
      stderr: 'device plant-7 was revoked 2027-01-15 08:00:00Z (stolen); that stands\n',
    });
    expect((await run('device list')).stdout).toContain('revoked 2027-01-15 08:00:00Z (stolen)');
    expect((await run('enroll-code --device plant-7')).stderr).toContain('known, and revoked');
    expect((await run('device rotate plant-7')).stderr).toContain('is revoked');
  });

  it('rotate notes the wish, and the list shows it', async () => {
    await run(`device add plant-7 --public-key ${publicKey}`);
    expect((await run('device rotate plant-7')).code).toBe(0);
    expect((await run('device list')).stdout).toContain('rotation asked 2027-01-15 08:00:00Z');
  });

  it('add takes an issuer in place of a key, whose device has no key to rotate', async () => {
    expect((await run('device add plant-7 --issuer https://login.example.com')).code).toBe(0);
    expect(await cli.list('device')).toMatchObject([
      { record: { publicKey: 'issuer:https://login.example.com' } },
    ]);
    expect((await run('device rotate plant-7')).stderr).toContain('no key of its own');
  });

  it.each(['revoke', 'rotate'])('%s of an unknown device fails', async (verb) => {
    const { code, stderr } = await run(`device ${verb} plant-7`);
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: 'pullwire-relay: there is no device plant-7\n',
    });
  });
});

describe('key', () => {
  it('grant adds to what a key may pull, and the list shows until when', async () => {
    const args = 'key add --name ops --devices plant-1 --until 12h';
    const id = (await run(args)).stdout.slice(4, 10);
    const granted = await run(`key grant ${id} --devices office-* --methods * --until 2027-02-01`);
    expect(granted.stderr).toBe(
      `key ${id} may also: * on sources * of devices office-*, until 2027-02-01 00:00:00Z\n`,
    );
    expect(await cli.list('key')).toMatchObject([
      {
        grants: [
          { devices: ['plant-1'], until: cli.now / 1_000 + 43_200 },
          { devices: ['office-*'], until: Date.UTC(2027, 1, 1) / 1_000 },
        ],
      },
    ]);
    const [titles, line] = (await run('key list')).stdout.split('\n');
    expect(titles).toContain('LAST USE');
    expect(line).toContain(
      'never     GET HEAD on sources * of devices plant-1, until 2027-01-15 20:00',
    );
    await run(`key revoke ${id}`);
    expect((await run(`key grant ${id}`)).stderr).toContain(`there is no key ${id} in force`);
  });
});

it.each([
  ['enroll-code --replace', '--replace needs --device'],
  ['enroll-code --ttl 31d', '--ttl must be at most 30d'],
  ['enroll-code --ttl soon', '--ttl must be such as 30m'],
  ['enroll-code more', 'too many arguments'],
  ['enroll-code remove pwe_abcdef_x', 'give no more of the code than that'],
  ['device add plant-7', 'one of --public-key and --issuer'],
  [`device add plant-7 --public-key ${publicKey} --issuer https://i.example`, 'one of'],
  ['device add plant-7 --issuer http://i.example', '--issuer must be the https URL'],
  ['device revoke plant/7', '"plant/7" is no device id'],
  ['key add --name a --until never', '--until must be such as'],
  ['key grant abcdefg', 'the id of a key has 6 characters'],
])('what is wrong (%j) ends with 2, says why, and touches nothing', async (args, expected) => {
  const { code, stdout, stderr } = await run(args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toContain(expected);
  expect(readdirSync(cli.folder)).toEqual([]);
});

it('options after a subcommand of enroll-code are that one’s', async () => {
  const made = await run('enroll-code --data elsewhere');
  expect(made.code).toBe(0);
  expect(await cli.list('enroll-code')).toEqual([]);
  const { stdout } = await run('enroll-code list --json --data elsewhere');
  expect(JSON.parse(stdout)).toHaveLength(1);
});
