import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { RelayOnMinistack } from './deploy-relay.ts';
import type { Ministack } from './ministack.ts';

const program = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const run = promisify(execFile);

/** Where the relay's table is. */
export type OperatorPlace = Pick<RelayOnMinistack, 'table' | 'region' | 'endpoint'> &
  Partial<Pick<RelayOnMinistack, 'connectionsUrl'>>;

/** The operator's own commands, in a process with credentials of its own, as on AWS. */
export class Operator {
  readonly #ministack: Ministack;
  readonly #place: OperatorPlace;

  constructor(ministack: Ministack, place: OperatorPlace) {
    this.#ministack = ministack;
    this.#place = place;
  }

  async addDevice(
    device: string,
    publicKey: string,
    labels: readonly string[] = [],
  ): Promise<void> {
    const more = labels.flatMap((label) => ['--label', label]);
    await this.run(['device', 'add', device, '--public-key', publicKey, ...more]);
  }

  async removeDevice(device: string): Promise<void> {
    await this.run(['device', 'remove', device]);
  }

  /** Resolves with the code: `--device`, `--label`, `--ttl`. */
  enrolCode(args: readonly string[] = []): Promise<string> {
    return this.run(['enroll-code', ...args]);
  }

  /** Its links are ended too, where the place says how to reach them. */
  async revokeDevice(device: string, reason = 'stolen'): Promise<void> {
    await this.run(['device', 'revoke', device, '--reason', reason, ...this.#reach()]);
  }

  /** Asks for another key of the device. */
  async rotateDevice(device: string): Promise<void> {
    await this.run(['device', 'rotate', device, ...this.#reach()]);
  }

  /** Resolves with the key: all devices and sources unless the arguments say otherwise. */
  addKey(args: readonly string[] = []): Promise<string> {
    return this.run(['key', 'add', '--name', 'ops', '--methods', '*', ...args]);
  }

  /** `id`: what stands between the key's two underscores. */
  async revokeKey(id: string): Promise<void> {
    await this.run(['key', 'revoke', id]);
  }

  /** Any of the commands; resolves with its stdout, rejects with its stderr. */
  async run(args: readonly string[]): Promise<string> {
    const { table, region, endpoint } = this.#place;
    const place = ['--table', table, '--region', region, '--endpoint', endpoint];
    const { stdout } = await run(process.execPath, [program, ...args, ...place], {
      env: { PATH: process.env['PATH'] ?? '', ...this.#ministack.environment },
    });
    return stdout.trim();
  }

  #reach(): string[] {
    const { connectionsUrl } = this.#place;
    return connectionsUrl === undefined ? [] : ['--connections-url', connectionsUrl];
  }
}
