import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Daemon } from '../process/daemon.ts';
import type { Workbench } from '../workbench.ts';
import type { Certificate } from './certificate.ts';
import { programs, runProgram } from './program.ts';

export interface RelayOptions {
  /** Unique in the workbench. */
  readonly name: string;
  /** undefined: in the clear, on loopback. */
  readonly certificate: Certificate | undefined;
  /** Options of Node itself. */
  readonly nodeArgs?: readonly string[];
}

/** A relay of its own folder on a free port of loopback, and its operator's commands. */
export class Relay {
  readonly daemon: Daemon;
  readonly folder: string;
  /** Only known once it listens. */
  readonly url: string;
  readonly certificate: Certificate | undefined;
  readonly #signal: AbortSignal;

  private constructor(
    daemon: Daemon,
    folder: string,
    url: string,
    certificate: Certificate | undefined,
    signal: AbortSignal,
  ) {
    this.daemon = daemon;
    this.folder = folder;
    this.url = url;
    this.certificate = certificate;
    this.#signal = signal;
  }

  /** Resolves when it listens. */
  static async start(workbench: Workbench, options: RelayOptions): Promise<Relay> {
    const { name, certificate, nodeArgs = [] } = options;
    const folder = join(workbench.folder, name);
    await mkdir(folder, { mode: 0o700 });
    const tls =
      certificate === undefined
        ? []
        : ['--tls-cert', certificate.cert, '--tls-key', certificate.key];
    const data = ['--data', join(folder, 'data'), '--listen', '127.0.0.1:0'];
    const argv = [process.execPath, ...nodeArgs, programs.relay, 'serve', ...data, ...tls] as const;
    const daemon = new Daemon('relay', folder, { argv });
    await daemon.start(workbench);
    const { url } = await daemon.said('listening', workbench.signal);
    return new Relay(daemon, folder, String(url), certificate, workbench.signal);
  }

  /** Where agents dial. */
  get linkUrl(): string {
    return `${this.url.replace(/^http/, 'ws')}/link`;
  }

  /** Makes a device key and tells the relay its public half; resolves with the key's file. */
  async addDevice(device: string): Promise<string> {
    const file = join(this.folder, `${device}.key`);
    const publicKey = await runProgram('agent', ['keygen', '--out', file], this.#signal);
    await this.#operate(['device', 'add', device, '--public-key', publicKey]);
    return file;
  }

  /** Makes a caller's key; resolves with a file that holds it as a header. */
  async addCaller(name: string): Promise<string> {
    const key = await this.#operate(['key', 'add', '--name', name, '--methods', 'GET,HEAD']);
    const file = join(this.folder, `${name}.header`);
    await writeFile(file, `Pullwire-Key: ${key}\n`, { mode: 0o600 });
    return file;
  }

  #operate(args: readonly string[]): Promise<string> {
    return runProgram('relay', [...args, '--data', join(this.folder, 'data')], this.#signal);
  }
}
