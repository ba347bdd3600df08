import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { enrolFleet } from './enrol-fleet.ts';
import { command, Program } from './program.ts';
import { ShapedPath } from './shaped-path.ts';
import type { SoakOrders } from './soak-agents.ts';
import type { SoakTarget } from './soak-load.ts';

export interface SoakPlan {
  readonly agents: number;
  readonly perSecond: number;
  readonly cutEveryMs: number;
  /** Packets are lost and delayed in namespaces of their own; else bytes are delayed on loopback, and none lost. */
  readonly shaped: boolean;
}

const shape = { loss: 0.05, delayMs: 40, bitsPerSecond: 1_000_000_000 };
/**
 * Longer than TCP stands still where six packets in a row are lost, its time-out doubling each time: with 5 % each way and
 * two thousand packets a second that happens once in some hours, and shorter stand-stills every few minutes.
 */
const heartbeat = { intervalMs: 12_000, timeoutMs: 6_000 };

/** A relay, a fleet whose paths are cut, and a caller, each a process of its own. */
export class SoakWorld {
  readonly #plan: SoakPlan;
  readonly #folder = mkdtempSync(join(tmpdir(), 'pullwire-soak-'));
  readonly #path: ShapedPath | undefined;
  relay!: Program;
  fleet!: Program;
  caller!: Program;

  private constructor(plan: SoakPlan) {
    this.#plan = plan;
    this.#path = plan.shaped ? new ShapedPath() : undefined;
  }

  /** Resolves when every agent was started. */
  static async start(plan: SoakPlan): Promise<SoakWorld> {
    const world = new SoakWorld(plan);
    try {
      await world.#start();
      return world;
    } catch (error) {
      await world.stop();
      throw error;
    }
  }

  /** The caller begins. */
  load(): void {
    this.caller = new Program('soakCaller', [this.#file('caller.json')], {}, this.#within('relay'));
  }

  async stop(): Promise<void> {
    await this.caller?.kill();
    await this.fleet?.kill();
    await this.relay?.kill();
    this.#path?.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #start(): Promise<void> {
    await this.#path?.start(shape);
    const data = this.#file('relay');
    const enrolled = await enrolFleet('soak', this.#plan.agents, data);
    for (const { device, privateKey } of enrolled) {
      writeFileSync(this.#file(`${device}.key`), privateKey, { mode: 0o600 });
    }
    const devices = enrolled.map(({ device }) => device);
    const port = await this.#startRelay(data);
    await this.#orderCaller(data, port, devices);
    await this.#startFleet(port, devices);
  }

  async #startRelay(data: string): Promise<number> {
    writeFileSync(this.#file('relay.json'), JSON.stringify({ heartbeat }));
    const listen = this.#plan.shaped ? ['0.0.0.0:8080', '--insecure'] : ['127.0.0.1:0'];
    const args = ['serve', '--data', data, '--config', this.#file('relay.json'), '--listen'];
    this.relay = new Program('relay', [...args, ...listen], {}, this.#within('relay'));
    const { url } = await this.relay.line('listening', 0);
    return Number(new URL(String(url)).port);
  }

  async #orderCaller(data: string, port: number, devices: readonly string[]): Promise<void> {
    const { code, stdout, stderr } = await command('relay', [
      'key',
      'add',
      '--name',
      'ops',
      '--data',
      data,
    ]);
    if (code !== 0) throw new Error(stderr);
    const { perSecond } = this.#plan;
    const url = `http://127.0.0.1:${port}`;
    const target: SoakTarget = { url, callerKey: stdout.trim(), devices, perSecond };
    writeFileSync(this.#file('caller.json'), JSON.stringify(target), { mode: 0o600 });
  }

  async #startFleet(relayPort: number, devices: readonly string[]): Promise<void> {
    const { shaped, cutEveryMs } = this.#plan;
    const orders: SoakOrders = {
      folder: this.#folder,
      relayHost: shaped ? ShapedPath.relayAddress : '127.0.0.1',
      relayPort,
      devices,
      delayMs: shaped ? 0 : shape.delayMs,
      cutEveryMs,
    };
    writeFileSync(this.#file('fleet.json'), JSON.stringify(orders));
    this.fleet = new Program('soakAgents', [this.#file('fleet.json')], {}, this.#within('agent'));
    await this.fleet.line('started', 0);
  }

  #within(side: 'agent' | 'relay'): readonly string[] {
    return this.#path?.within(side) ?? [];
  }

  #file(name: string): string {
    return join(this.#folder, name);
  }
}
