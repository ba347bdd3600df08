import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { command, Program } from './program.ts';
import { type PathShape, relayName, ShapedPath } from './shaped-path.ts';

const port = 8080;

/** A relay and an agent in network namespaces of their own, with a caller beside the relay and a folder to pull from. */
export class ShapedWorld {
  readonly folder = mkdtempSync(join(tmpdir(), 'pullwire-shaped-'));
  readonly path = new ShapedPath();
  agent!: Program;
  relay!: Program;

  /** Resolves when the link is open. `bytes`: of the file that can be pulled. */
  async start(shape: PathShape, heartbeat: object | undefined, bytes: number): Promise<void> {
    await this.path.start(shape);
    const file = (name: string): string => join(this.folder, name);
    writeFileSync(file('relay.json'), JSON.stringify(heartbeat === undefined ? {} : { heartbeat }));
    writeFileSync(file('file'), Buffer.alloc(bytes, 'x'));
    const data = ['--data', file('relay')];
    this.relay = new Program(
      'relay',
      [
        'serve',
        ...data,
        '--listen',
        `0.0.0.0:${port}`,
        '--insecure',
        '--config',
        file('relay.json'),
      ],
      { PULLWIRE_RELAY_PUBLIC_URL: `http://${relayName}:${port}` },
      this.path.within('relay'),
    );
    await this.relay.line('listening', 0);
    const key = await said('agent', ['keygen', '--out', file('device.key')]);
    await said('relay', ['device', 'add', 'far', '--public-key', key, ...data]);
    writeFileSync(
      file('headers'),
      `Pullwire-Key: ${await said('relay', ['key', 'add', '--name', 'ops', ...data])}`,
    );
    const config = {
      ...{ relay: `ws://${relayName}:${port}/link`, insecure: true, device: 'far' },
      ...{ keyFile: file('device.key'), redial: { baseMs: 200, capMs: 1_000 } },
      sources: { files: { kind: 'file', root: this.folder, allow: [{ paths: ['/file'] }] } },
    };
    writeFileSync(file('agent.json'), JSON.stringify(config));
    this.agent = new Program(
      'agent',
      ['run', '--config', file('agent.json')],
      {},
      this.path.within('agent'),
    );
    await this.agent.line('link open', 0);
  }

  /** Status and bytes of a pull of the file, by a caller at the relay; `000` where it failed. */
  pull(): Promise<string> {
    return this.#ask('/sources/files/file', [
      '-o',
      '/dev/null',
      '-w',
      '%{http_code} %{size_download}',
    ]);
  }

  /** What the relay says of the device. */
  async shown(): Promise<Record<string, unknown>> {
    return JSON.parse(await this.#ask('', [])) as Record<string, unknown>;
  }

  async stop(): Promise<void> {
    await this.agent?.kill();
    await this.relay?.kill();
    this.path.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  #ask(rest: string, how: readonly string[]): Promise<string> {
    const [file, ...before] = this.path.within('relay') as [string, ...string[]];
    const url = `http://127.0.0.1:${port}/devices/far${rest}`;
    const asked = [
      'curl',
      '-s',
      '-m',
      '180',
      '-H',
      `@${join(this.folder, 'headers')}`,
      '-H',
      'Prefer: wait=170',
    ];
    return new Promise((resolve) => {
      execFile(file, [...before, ...asked, ...how, url], (_error, stdout) => resolve(stdout));
    });
  }
}

async function said(name: 'relay' | 'agent', args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await command(name, args);
  if (code !== 0) throw new Error(`${args[0]} ended with ${code}: ${stderr}`);
  return stdout.trim();
}
