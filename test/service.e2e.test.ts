import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Program, programs } from './src/program.ts';
import { agentOnMachine, noSystemdMachine, SystemdMachine } from './src/systemd-machine.ts';

const why = noSystemdMachine();
const suite =
  why === undefined ? 'the agent as a service' : `the agent as a service [skipped: ${why}]`;

const config = '/etc/pullwire/agent.yaml';
const state = '/var/lib/pullwire-agent';
const unit = 'pullwire-agent';
const settings = `
health: { listen: 127.0.0.1:9464 }
redial: { baseMs: 100, capMs: 200 }
sources:
  df: { kind: command, argv: [/bin/df, /], allow: [{ paths: [/] }] }
`;

/** One thing after the other happens to one machine: these tests are an order. */
describe.skipIf(why !== undefined)(suite, { timeout: 120_000 }, () => {
  let machine: SystemdMachine;
  let relay: Program | undefined;
  let key: string;

  const shell = (script: string) => machine.run(['/bin/sh', '-c', script]);
  const agent = (...args: string[]) => machine.run([...agentOnMachine, ...args]);
  const status = () => agent('status', '--config', config);
  const shown = async (property: string) => {
    const { stdout } = await machine.run(['systemctl', 'show', '--value', '-p', property, unit]);
    return stdout.trim();
  };
  const untilShown = (property: string, value: string) =>
    machine.until(
      ['systemctl', 'show', '--value', '-p', property, unit],
      ({ stdout }) => stdout.trim() === value,
    );
  const untilLinked = () =>
    machine.until([...agentOnMachine, 'status', '--config', config], ({ code }) => code === 0);

  async function operate(...args: string[]): Promise<string> {
    const command = [process.execPath, programs.relay, ...args, '--data', '/opt/relay'];
    const { code, stdout, stderr } = await machine.run(command);
    if (code !== 0) throw new Error(stderr);
    return stdout.trim();
  }

  /** Ends the one before, so that agents dial again. */
  async function startRelay(): Promise<void> {
    if (relay !== undefined) {
      const { pid } = await relay.line('listening', 0);
      await machine.run(['kill', String(pid)]);
      await relay.ended;
    }
    const args = ['serve', '--data', '/opt/relay', '--listen', '127.0.0.1:8080'];
    relay = new Program('relay', args, {}, machine.within);
    await relay.line('listening', 0);
  }

  beforeAll(async () => {
    machine = await SystemdMachine.start();
    await startRelay();
    key = await operate('key', 'add', '--name', 'ops', '--methods', '*');
    const code = await operate('enroll-code', '--device', 'plant-7');
    await shell('mkdir -p /etc/pullwire');
    const keyFile = `${state}/device.key`;
    const url = 'http://127.0.0.1:8080';
    const enrolling = ['enroll', '--relay', url, '--config', config, '--key-file', keyFile];
    const { code: ended, stderr } = await machine.run(
      [...agentOnMachine, ...enrolling, '--code', '-'],
      code,
    );
    expect([stderr, ended]).toEqual(['', 0]);
    await shell(`cat >>${config} <<'EOF'\n${settings}\nEOF\nchmod 644 ${config}`);
  }, 120_000);

  afterAll(async () => {
    await machine?.stop();
    await relay?.ended;
  });

  test('is installed, started and linked by one command', async () => {
    const { code, stdout, stderr } = await agent('install', '--config', config, '--now');
    expect([stderr, code]).toEqual(['', 0]);
    expect(stdout).toContain('run        systemctl enable --now pullwire-agent\n');
    // Type=notify: `enable --now` has waited for the agent's own word.
    expect(await shown('ActiveState')).toBe('active');
    expect((await untilLinked()).stdout).toContain('source       df: not asked since the start\n');
  });

  test('answers pulls under all its restrictions, as a user who may do nothing else', async () => {
    const url = 'http://127.0.0.1:8080/devices/plant-7/sources/df/';
    const pulled = await machine.run(['curl', '-s', '-H', `Pullwire-Key: ${key}`, url]);
    expect(pulled.stdout).toContain('Filesystem');
    const ready = await machine.run(['curl', '-s', 'http://127.0.0.1:9464/health/ready']);
    expect(ready.stdout).toBe('{"status":"ready"}\n');
    const pid = await shown('MainPID');
    const { stdout } = await shell(`cat /proc/${pid}/status; stat -c '%U %a %n' ${state}/*`);
    expect(stdout).toMatch(/^CapEff:\s+0{16}$/m);
    expect(stdout).toMatch(/^NoNewPrivs:\s+1$/m);
    expect(stdout).toMatch(/^Seccomp:\s+2$/m);
    expect(stdout).toContain(`pullwire-agent 600 ${state}/device.key\n`);
    expect(stdout).toContain(`pullwire-agent 600 ${state}/device.key.main.sock\n`);
  });

  test('tells its status to root, and not to others', async () => {
    expect((await status()).code).toBe(0);
    const asNobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups'];
    const command = [...asNobody, ...agentOnMachine, 'status', '--config', config];
    expect(await machine.run(command)).toMatchObject({ code: 4, stdout: '' });
  });

  test('writes nothing when it is installed again', async () => {
    const { stdout } = await agent('install', '--config', config);
    expect(stdout).toContain(`unchanged  /etc/systemd/system/${unit}.service\n`);
    expect(stdout).not.toContain('write ');
  });

  test('is started again where it gives no sign of life', async () => {
    const dropIn = `/etc/systemd/system/${unit}.service.d`;
    const lines = '[Service]\\nWatchdogSec=3s\\nRestartSec=100ms\\n';
    await shell(`mkdir ${dropIn}; printf '${lines}' >${dropIn}/own.conf; systemctl daemon-reload`);
    await machine.run(['systemctl', 'restart', unit]);
    // Signs of life come each second: the second of them says what the first one could not know yet.
    await untilLinked();
    await untilShown('StatusText', 'linked');
    expect(await shown('NRestarts')).toBe('0');
    await shell(`kill -STOP ${await shown('MainPID')}`);
    await untilShown('NRestarts', '1');
    await untilLinked();
  });

  test('can change its key', async () => {
    const keyOf = async () => /ed25519:\S+/.exec((await status()).stdout)?.[0];
    const before = await keyOf();
    await operate('device', 'rotate', 'plant-7');
    // Written before it is offered, and used by the next dial once the relay has said that it is noted.
    await relay?.line('the device offered another key', 0);
    await startRelay();
    await machine.until(['test', '-e', `${state}/device.key.next`], ({ code }) => code !== 0);
    await untilLinked();
    expect(await keyOf()).not.toBe(before);
  });

  test('is not started again where the relay has refused it for good', async () => {
    const restarts = await shown('NRestarts');
    await operate('device', 'revoke', 'plant-7', '--reason', 'the van was stolen');
    await untilShown('ActiveState', 'failed');
    expect(await shown('ExecMainStatus')).toBe('77');
    expect(await shown('NRestarts')).toBe(restarts);
    expect((await status()).code).toBe(3);
  });

  test('is taken away, and leaves what is not its own', async () => {
    expect((await agent('uninstall')).code).toBe(0);
    const left = await shell(`ls ${state} /etc/systemd/system/${unit}.service.d ${config}`);
    expect(left).toMatchObject({ code: 0, stdout: expect.stringContaining('device.key\n') });
    expect(await shown('LoadState')).toBe('not-found');
    await agent('uninstall', '--purge');
    expect((await shell(`ls ${state}`)).code).not.toBe(0);
    expect((await shell(`getent passwd ${unit}`)).stdout).toBe('');
    expect((await shell(`ls ${config}`)).code).toBe(0);
  });
});
