import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { type CertificateFiles, makeCertificate } from './certificate.ts';
import { command, type Program } from './program.ts';
import { TlsFront } from './tls-front.ts';
import { World } from './world.ts';

/** One line of `pullwire-agent doctor --json`. */
export interface DoctorLine {
  readonly component: string;
  readonly target: string;
  readonly state: 'ok' | 'warning' | 'failed' | 'skipped';
  readonly details: string;
  readonly advice?: string;
}

export interface Diagnosis {
  readonly code: number | null;
  readonly state: string;
  readonly lines: readonly DoctorLine[];
  /** Everything it wrote. */
  readonly text: string;
}

interface Visit {
  readonly settings?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** A command that runs doctor in its own place. */
  readonly within?: readonly string[];
}

/** Runs doctor with a configuration file. */
export async function examine(
  config: string,
  { env = {}, within = [] }: Visit = {},
): Promise<Diagnosis> {
  const args = ['doctor', '--config', config, '--json'];
  const { code, stdout, stderr } = await command('agent', args, env, within);
  if (stderr !== '') throw new Error(`doctor said: ${stderr}`);
  const { state, checks } = JSON.parse(stdout) as { state: string; checks: DoctorLine[] };
  return { code, state, lines: checks, text: stdout };
}

/**
 * A relay behind TLS of an authority that the devices know, and devices to examine there: each has a folder, a key, and
 * a configuration that is right but for what a test changes.
 */
export class DoctorWard {
  readonly world: World;
  readonly authority: CertificateFiles;
  readonly #sources: Readonly<Record<string, unknown>>;
  readonly #fronts: TlsFront[] = [];

  private constructor(world: World, sources: Readonly<Record<string, unknown>>) {
    this.world = world;
    this.#sources = sources;
    this.authority = makeCertificate(world.folder, 'Plant Authority', { days: 40, from: '-20d' });
  }

  static async start(sources: Readonly<Record<string, unknown>>): Promise<DoctorWard> {
    const world = await World.start({ sources: {} });
    const ward = new DoctorWard(world, sources);
    await ward.openFront(ward.certificate('relay', 6, '-2d'));
    // Whoever examines a device may be another user than whose tests these are.
    chmodSync(world.folder, 0o711);
    chmodSync(ward.authority.cert, 0o644);
    return ward;
  }

  certificate(name: string, days: number, from: string, issuer = this.authority): CertificateFiles {
    return makeCertificate(this.world.folder, name, { days, from }, issuer);
  }

  /** Another TLS server in front of the relay; resolves with its port. */
  async openFront(files: CertificateFiles): Promise<number> {
    const front = await TlsFront.start(files, this.world.port);
    this.#fronts.push(front);
    return front.port;
  }

  get port(): number {
    return this.#fronts[0]?.port ?? 0;
  }

  /** Makes a device known, with a key in a folder of its own; returns its configuration file. */
  async admit(device: string, settings: Visit['settings'] = {}): Promise<string> {
    const folder = join(this.world.folder, device);
    mkdirSync(folder, { mode: 0o700 });
    await this.world.addDevice(device, join(device, 'device.key'));
    const config = join(folder, 'agent.json');
    const own = {
      relay: `wss://127.0.0.1:${this.port}/link`,
      audience: `127.0.0.1:${this.world.port}`,
      ca: this.authority.cert,
      ...{ device, keyFile: join(folder, 'device.key') },
      ...settings,
      sources: { ...this.#sources, ...(settings['sources'] as object | undefined) },
    };
    writeFileSync(config, JSON.stringify(own));
    return config;
  }

  /** A device of the ward, admitted and examined. */
  async examine(device: string, visit: Visit = {}): Promise<Diagnosis> {
    return examine(await this.admit(device, visit.settings), visit);
  }

  /** Its folder belongs to somebody else, who cannot read the key in it; returns how to run as that user. */
  takeAway(device: string): readonly string[] {
    const folder = join(this.world.folder, device);
    const key = join(folder, 'device.key');
    if (process.geteuid?.() !== 0) {
      chmodSync(key, 0o000);
      return [];
    }
    const other = 65_534;
    chownSync(folder, other, other);
    chownSync(join(folder, 'agent.json'), other, other);
    return ['setpriv', `--reuid=${other}`, `--regid=${other}`, '--clear-groups'];
  }

  async stop(): Promise<void> {
    for (const front of this.#fronts) front.stop();
    await this.world.stop();
  }
}

/** A port of loopback at which nothing listens. */
export async function closedPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

/** What an agent said of links: opened, lost, dialled again. */
export function linkLines(agent: Program): readonly string[] {
  return agent.lines.filter(({ text }) => /link|redial|relay/i.test(text)).map(({ text }) => text);
}
