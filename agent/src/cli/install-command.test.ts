import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { checkMachine, checkProgram } from '../service/service-check.ts';
import { runProgram } from './program.ts';

let folder: string;
let root: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pullwire-install-'));
  root = join(folder, 'root');
  await configure('/var/lib/pullwire-agent/device.key');
});

afterEach(() => rm(folder, { recursive: true }));

async function configure(keyFile: string): Promise<void> {
  const lines = [
    'relay: wss://relay.example',
    'device: plant-7',
    `keyFile: ${keyFile}`,
    'sources: {}',
  ];
  await writeFile(join(folder, 'agent.yaml'), `${lines.join('\n')}\n`);
}

async function result(...args: string[]) {
  let stdout = '';
  let stderr = '';
  const code = await runProgram({
    args,
    env: {},
    workingFolder: folder,
    program: { node: '/usr/bin/node', script: '/opt/pullwire/pullwire-agent.mjs' },
    uid: 1_000,
    writeOut: (text) => {
      stdout += text;
    },
    writeError: (text) => {
      stderr += text;
    },
    onSignal: () => {},
    exitNow: () => {},
  });
  return { code, stdout, stderr };
}

const install = (...more: string[]) => result('install', '--config', 'agent.yaml', ...more);
const unit = () => join(root, 'etc/systemd/system/pullwire-agent.service');
const files = async () =>
  (await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []))
    .filter((entry) => entry.isFile())
    .map(({ name }) => name)
    .sort();

describe('pullwire-agent install', () => {
  it('prints the unit and writes nothing', async () => {
    const { code, stdout } = await install('--print', '--root', root);
    expect(code).toBe(0);
    expect(stdout).toContain(
      `ExecStart=/usr/bin/node /opt/pullwire/pullwire-agent.mjs run --config ${folder}/agent.yaml\n`,
    );
    expect(await files()).toEqual([]);
  });

  it('says what it would do, and does nothing', async () => {
    const { code, stdout } = await install('--dry-run', '--root', root);
    expect(code).toBe(0);
    expect(stdout).toContain('would write      /etc/systemd/system/pullwire-agent.service\n');
    expect(await files()).toEqual([]);
  });

  it('writes a unit and a user that everybody can read, and the second time nothing', async () => {
    const { code, stdout } = await install('--root', root);
    expect([code, await files()]).toEqual([0, ['pullwire-agent.conf', 'pullwire-agent.service']]);
    expect((await stat(unit())).mode & 0o777).toBe(0o644);
    expect(stdout).toContain('left       systemctl enable pullwire-agent   (not this machine)\n');
    const again = await install('--root', root);
    expect(again.stdout).toContain('unchanged  /etc/systemd/system/pullwire-agent.service\n');
    expect(again.stdout).not.toContain('write ');
    const more = await install('--root', root, '--memory', '1G');
    expect(more.stdout).toContain('write      /etc/systemd/system/pullwire-agent.service\n');
    expect(await readFile(unit(), 'utf8')).toContain('\nMemoryMax=1G\n');
  });

  it('hands over the state that enrolling as root has made', async () => {
    await mkdir(join(root, 'var/lib/pullwire-agent'), { recursive: true });
    const { stdout } = await install('--root', root);
    expect(stdout).toContain('chown -R -h pullwire-agent:pullwire-agent /var/lib/pullwire-agent');
  });

  it('leaves a unit alone that somebody else has written', async () => {
    await mkdir(join(root, 'etc/systemd/system'), { recursive: true });
    await writeFile(unit(), '[Service]\nExecStart=/bin/true\n');
    const { code, stderr } = await install('--root', root);
    expect([code, stderr]).toEqual([1, expect.stringContaining('was not written by this command')]);
    expect(await files()).toEqual(['pullwire-agent.service']);
  });

  it('says where the key must be, so that it can change', async () => {
    await configure('/etc/pullwire/device.key');
    const { code, stderr } = await install('--root', root);
    expect(code).toBe(1);
    expect(stderr).toContain('set "keyFile: /var/lib/pullwire-agent/device.key"');
    await configure('/var/lib/line2/device.key');
    expect((await install('--root', root, '--name', 'line2')).code).toBe(0);
  });

  it.each([
    [['--name', 'a/../b'], 'expected 1 to 31 of'],
    [['--memory', '1 GB; rm'], 'expected a size such as 512M'],
  ])('refuses %j', async (more, why) => {
    const { code, stderr } = await install('--root', root, ...more);
    expect([code, stderr]).toEqual([1, expect.stringContaining(why)]);
    expect(await files()).toEqual([]);
  });

  it('says all that is wrong with the configuration, and does nothing', async () => {
    await writeFile(join(folder, 'agent.yaml'), 'relay: x\nsources: {}\n');
    const { code, stderr } = await install('--root', root);
    expect([code, stderr]).toEqual([2, expect.stringContaining('relay: expected a URL')]);
  });

  it('takes away what it wrote and nothing else, and the state only where asked', async () => {
    await install('--root', root);
    const state = join(root, 'var/lib/pullwire-agent');
    await mkdir(state, { recursive: true });
    await writeFile(join(state, 'device.key'), 'secret');
    const dropIn = join(root, 'etc/systemd/system/pullwire-agent.service.d');
    await mkdir(dropIn);
    await writeFile(join(dropIn, 'own.conf'), '[Service]\nMemoryMax=1G\n');
    const { code, stdout } = await result('uninstall', '--root', root);
    expect([code, await files()]).toEqual([0, ['device.key', 'own.conf']]);
    expect(stdout).toContain('--purge removes both');
    await result('uninstall', '--root', root, '--purge');
    expect(await files()).toEqual(['own.conf']);
  });

  it('does not take away a unit of somebody else', async () => {
    await mkdir(join(root, 'etc/systemd/system'), { recursive: true });
    await writeFile(unit(), '[Service]\nExecStart=/bin/true\n');
    const { stdout } = await result('uninstall', '--root', root);
    expect(stdout).toContain('kept       /etc/systemd/system/pullwire-agent.service');
    expect(await files()).toEqual(['pullwire-agent.service']);
  });
});

describe('whether this machine can have a service', () => {
  it('says what is missing, and that nothing was changed', () => {
    const can = { uid: 0, hasSystemd: true };
    expect(checkMachine('install', can)).toBeUndefined();
    expect(() => checkMachine('install', { ...can, uid: 1_000 })).toThrow('only root can install');
    expect(() => checkMachine('install', { ...can, hasSystemd: false })).toThrow('--print');
  });

  it('refuses a program that the unit would hide from itself, or that is not what ships', async () => {
    const node = '/bin/sh';
    await expect(checkProgram({ node, script: join(folder, 'agent.yaml') })).rejects.toThrow(
      'where a service is not let in',
    );
    await expect(checkProgram({ node, script: import.meta.filename })).rejects.toThrow(
      /npm run build|where a service is not let in|only its owner can read/,
    );
    await expect(checkProgram({ node: '/nowhere/node', script: node })).rejects.toThrow(
      'Node (/nowhere/node) cannot be found',
    );
    expect(await checkProgram({ node: '/bin/ls', script: '/bin/sh' })).toMatchObject({
      script: expect.stringMatching(/^\/usr\/bin\/|^\/bin\//),
    });
  });
});
