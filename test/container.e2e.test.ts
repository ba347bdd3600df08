import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Container, type ContainerOptions, stateOf } from './src/container/container.ts';
import { type BuiltImage, ImageBuild } from './src/container/image-build.ts';
import { buildTools, javaScriptIn } from './src/container/root-content.ts';
import { command, Program, programs } from './src/program.ts';
import { createOrigin, type TinyOrigin } from './src/tiny-origin.ts';
import { describeWith } from './src/tool.ts';
import { until } from './src/until.ts';

const long = process.env['PULLWIRE_LONG'] === '1';
const repository = fileURLToPath(new URL('..', import.meta.url));
const mebibyte = 1_048_576;
const mostBytes = 200_000_000;
/** Between SIGTERM and SIGKILL of `docker stop`. */
const dockersGraceMs = 10_000;
/** Packages, npm ci and two roots; how long it takes is up to mirrors. */
const buildTimeMs = 900_000;

// What Dockerfile.agent says is held always, by src/container/dockerfile-agent.test.ts. This runs what it says.
const reasons = [
  ...(long ? [] : ['it takes minutes: PULLWIRE_LONG=1']),
  ...(process.getuid?.() === 0 ? [] : ['it mounts and changes its root: run it as root']),
];
const title = `the agent's image${reasons.length === 0 ? '' : ` [skipped: ${reasons.join('; ')}]`}`;

describeWith(['mmdebstrap', 'unshare'], title, () => {
  describe.skipIf(reasons.length > 0)('as its stages make it', imageTests);
});

function imageTests(): void {
  let folder = '';
  let data = '';
  let config = '';
  const running: (Program | Container)[] = [];
  let image: BuiltImage;
  let origin: TinyOrigin;
  let relay: Program;
  let port = 0;
  let key = '';

  const operate = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await command('relay', [...args, '--data', data]);
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    return stdout.trim();
  };
  const serve = async (): Promise<void> => {
    relay = new Program('relay', ['serve', '--data', data, '--listen', `127.0.0.1:${port}`]);
    running.push(relay);
    port = Number(new URL(String((await relay.line('listening', 0))['url'])).port);
  };
  const run = (name: string, more: Partial<ContainerOptions> = {}): Container => {
    const own = join(folder, name);
    mkdirSync(own, { recursive: true });
    const container = new Container(image, {
      name,
      folder: own,
      mounts: { '/etc/pullwire/agent.yaml': config },
      env: { PULLWIRE_AGENT_RELAY: `ws://127.0.0.1:${port}` },
      ...more,
    });
    running.push(container);
    return container;
  };
  const enrolled = async (device: string, more: Partial<ContainerOptions> = {}) => {
    const code = await operate('enroll-code', '--device', device);
    const container = run(device, { secrets: { PULLWIRE_ENROLL_CODE: code }, ...more });
    await container.program.line('link open', 0);
    return { container, code };
  };
  const pull = (device: string, source = 'web'): Promise<Response> =>
    fetch(`http://127.0.0.1:${port}/devices/${device}/sources/${source}/x`, {
      headers: { 'Pullwire-Key': key },
    });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'pullwire-container-'));
    data = join(folder, 'relay');
    config = join(folder, 'agent.yaml');
    image = new ImageBuild(folder, () => {}).run(repository, 'Dockerfile.agent');
    origin = await createOrigin();
    await serve();
    key = await operate('key', 'add', '--name', 'ops');
    writeFileSync(
      config,
      `redial: { baseMs: 100, capMs: 100 }\nsources:\n  web: { kind: http, url: '${origin.url}', allow: [{ paths: ['/**'] }] }\n`,
    );
  }, buildTimeMs);

  afterAll(async () => {
    for (const each of running.toReversed()) await each.stop();
    await origin?.stop();
    rmSync(folder, { recursive: true });
  });

  test('is smaller than 200 MB, with the base', () => {
    const { bytes, baseBytes } = image;
    const inMiB = (size: number) => `${(size / mebibyte).toFixed(1)} MiB`;
    process.stdout.write(`image ${inMiB(bytes)}, of which base ${inMiB(baseBytes)}\n`);
    expect(bytes).toBeLessThan(mostBytes);
  });

  test('holds one file of JavaScript, that of the checkout to the byte, and nothing that builds', () => {
    expect(javaScriptIn(image.root)).toEqual(['/opt/pullwire/pullwire-agent.mjs']);
    const inside = readFileSync(join(image.root, 'opt/pullwire/pullwire-agent.mjs'));
    expect(inside.equals(readFileSync(programs.agent))).toBe(true);
    expect(buildTools(image.root)).toEqual([]);
  });

  test('enrols at its first start, answers a pull, and comes back as the same device', async () => {
    const { container, code } = await enrolled('plant-1');
    expect(await (await pull('plant-1')).text()).toBe('GET /x');
    const logs = (of: Container): string => of.program.lines.map(({ text }) => text).join('\n');
    const stoppedAt = performance.now();
    expect(await container.stop()).toBe(0);
    expect(performance.now() - stoppedAt).toBeLessThan(dockersGraceMs);
    expect(container.program.lines.map(({ msg }) => msg)).toContain('agent stopped');

    const again = run('plant-1', { secrets: { PULLWIRE_ENROLL_CODE: code } });
    await again.program.line('link open', 0);
    expect((await pull('plant-1')).status).toBe(200);
    expect(logs(container) + logs(again)).not.toContain(code);
    expect(await again.stop()).toBe(0);
    const shown = await fetch(`http://127.0.0.1:${port}/devices/plant-1`, {
      headers: { 'Pullwire-Key': key },
    });
    expect(await shown.json()).toMatchObject({ presence: 'offline', why: 'drained' });
  });

  test('runs as its user, with tini as PID 1, a root that cannot be written to and the native part', async () => {
    const { container } = await enrolled('plant-2');
    const [init, agent] = container.processes.toSorted((a, b) => a.innerPid - b.innerPid);
    expect(init?.innerPid).toBe(1);
    expect(readFileSync(`/proc/${init?.pid}/cmdline`, 'utf8')).toMatch(/^\/usr\/bin\/tini\0/);
    const status = readFileSync(`/proc/${agent?.pid}/status`, 'utf8');
    expect(status).toMatch(/^Uid:\t10001\t10001\t10001\t10001$/m);
    expect(status).toMatch(/^CapEff:\t0+$/m);
    expect(status).toMatch(/^NoNewPrivs:\t1$/m);
    expect(readFileSync(`/proc/${agent?.pid}/maps`, 'utf8')).toContain('bufferutil.node');
    for (const path of ['/etc/x', '/opt/pullwire/x', '/tmp/x', '/etc/pullwire/x']) {
      const { code, output } = container.exec(['/usr/bin/touch', path]);
      expect([code, output]).toEqual([1, expect.stringContaining('Read-only file system')]);
    }
    expect(container.exec(['/usr/bin/touch', '/var/lib/pullwire/x'])).toEqual({
      code: 0,
      output: '',
    });
    expect(await container.stop()).toBe(0);
  });

  test('is healthy by its own check, says what is wrong otherwise, and outlives the relay', async () => {
    const { container } = await enrolled('plant-3');
    expect(container.checkHealth()).toEqual({
      code: 0,
      output: expect.stringContaining('plant-3'),
    });
    const lost = container.program.line(({ msg }) => msg?.startsWith('no link') === true);
    await relay.stop();
    await lost;
    expect(container.checkHealth().code).toBe(150);
    const back = container.program.line('link open');
    await serve();
    await back;
    expect((await pull('plant-3')).status).toBe(200);

    const reloaded = container.program.line('configuration reloaded');
    process.kill(container.initPid, 'SIGHUP');
    await reloaded;
    expect(await container.stop()).toBe(0);
  });

  test('reaps what others leave behind, which the agent as PID 1 would not', async () => {
    const leave = ['/bin/sh', '-c', '(sleep 0.5; exit 3) >/dev/null 2>&1 & echo $!'];
    const orphanOf = (container: Container): number => {
      const innerPid = Number(container.exec(leave).output);
      const pid = container.processes.find((each) => each.innerPid === innerPid)?.pid;
      if (pid === undefined) throw new Error('the orphan was not seen alive');
      return pid;
    };
    const { container } = await enrolled('plant-5');
    const orphan = orphanOf(container);
    await until(() => stateOf(orphan) === undefined);
    expect(await container.stop()).toBe(0);

    const [, , ...agentAlone] = image.config.entrypoint;
    const { container: bare } = await enrolled('plant-6', { entrypoint: agentAlone });
    const zombie = orphanOf(bare);
    await until(() => stateOf(zombie) === 'Z');
    expect(await bare.stop()).toBe(0);
  });

  test('says which file is missing where none is mounted', async () => {
    const container = run('plant-7', { mounts: {} });
    rmSync(join(image.root, 'etc/pullwire'), { recursive: true, force: true });
    expect(await container.program.ended).toBe(2);
    const said = container.program.lines.map(({ text }) => text).join('\n');
    expect(said).toContain('/etc/pullwire/agent.yaml');
    expect(said).toContain('ENOENT');
  });
}
