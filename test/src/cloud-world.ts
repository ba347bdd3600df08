import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AwsWorld, type AwsWorldOptions } from '../../cloud/test/aws/aws-world.ts';
import { command, Program } from './program.ts';

export interface CloudWorldOptions extends AwsWorldOptions {
  /** The `sources:` of each agent's configuration. */
  readonly sources: Readonly<Record<string, unknown>>;
  /** Agents, each a device `plant-1`, `plant-2`…; 1 unless said. */
  readonly agents?: number;
}

/** Real agents at the strict gateway with our functions behind it, and a caller who may do everything. */
export class CloudWorld {
  readonly aws: AwsWorld;
  readonly folder = mkdtempSync(join(tmpdir(), 'pullwire-aws-'));
  readonly agents: Program[] = [];
  callerKey = '';
  readonly #programs: Program[] = [];
  readonly #agentsByDevice = new Map<string, Program>();

  private constructor(aws: AwsWorld) {
    this.aws = aws;
  }

  /** Resolves when every agent's link is open. */
  static async start({ sources, agents = 1, ...options }: CloudWorldOptions): Promise<CloudWorld> {
    const world = new CloudWorld(await AwsWorld.start(options));
    try {
      world.callerKey = await world.aws.addKey();
      const names = Array.from({ length: agents }, (_, at) => `plant-${at + 1}`);
      await Promise.all(names.map((device) => world.startFurtherAgent(device, sources)));
      return world;
    } catch (error) {
      await world.stop();
      throw error;
    }
  }

  /** The first agent of a device: they start beside each other, and in any order. */
  agentOf(device: string): Program {
    const agent = this.#agentsByDevice.get(device);
    if (agent === undefined) throw new Error(`${device} has no agent`);
    return agent;
  }

  /** Where callers ask. */
  get url(): string {
    return this.aws.url;
  }

  /** Where agents dial. */
  get linkUrl(): string {
    return this.aws.linkUrl;
  }

  /** Makes the device known, and starts its agent; resolves when its link is open. `more`: keys of its configuration. */
  async startFurtherAgent(
    device: string,
    sources: CloudWorldOptions['sources'],
    more: Readonly<Record<string, unknown>> = {},
  ): Promise<Program> {
    const keyFile = join(this.folder, `${device}.key`);
    const { stdout } = await command('agent', ['keygen', '--out', keyFile]);
    await this.aws.addDevice(device, stdout.trim());
    const config = join(this.folder, `${device}.json`);
    writeFileSync(
      config,
      JSON.stringify({ relay: this.linkUrl, device, keyFile, ...more, sources }),
    );
    const agent = this.#begin(config);
    this.#agentsByDevice.set(device, agent);
    await agent.line('link open', 0);
    return agent;
  }

  /** A further instance of the first device, with the same key; resolves when its link is open. */
  async startInstance(
    instance: string,
    sources: CloudWorldOptions['sources'],
    settings: Readonly<Record<string, unknown>> = {},
  ): Promise<Program> {
    const config = join(this.folder, `instance-${instance}.json`);
    const keyFile = join(this.folder, 'plant-1.key');
    const { linkUrl: relay } = this.aws;
    const device = 'plant-1';
    writeFileSync(
      config,
      JSON.stringify({ relay, device, keyFile, instance, ...settings, sources }),
    );
    return this.#run(config);
  }

  /** Ends the first agent as an operator would, and waits until the relay knows. */
  async stopAgent(): Promise<void> {
    await this.agents.shift()?.stop();
    await this.aws.gateway.settled();
  }

  /** The first device's agent again, as it was configured. */
  async startAgentAgain(): Promise<void> {
    await this.#run(join(this.folder, 'plant-1.json'));
  }

  /** One of the operator's commands; resolves with its stdout. */
  async operate(args: readonly string[]): Promise<string> {
    const credentials = { AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE', AWS_SECRET_ACCESS_KEY: 'planted' };
    const { code, stdout, stderr } = await command(
      'relay',
      [...args, '--data', this.aws.dataFolder],
      { ...credentials, AWS_REGION: 'eu-central-1' },
    );
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${stderr}`);
    return stdout.trim();
  }

  /** Everything that its agents logged. */
  get agentLogs(): string {
    return this.#programs.flatMap((program) => program.lines.map((line) => line.text)).join('\n');
  }

  async #run(config: string): Promise<Program> {
    const agent = this.#begin(config);
    await agent.line('link open', 0);
    return agent;
  }

  /** A device's agent once more, linked or not. */
  runAgentAgain(device: string): Program {
    return this.#begin(join(this.folder, `${device}.json`));
  }

  #begin(config: string): Program {
    const agent = new Program('agent', ['run', '--config', config]);
    this.agents.push(agent);
    this.#programs.push(agent);
    return agent;
  }

  /** A pull, by fetch. */
  pull(
    source: string,
    path: string,
    init: RequestInit = {},
    device = 'plant-1',
  ): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set('Pullwire-Key', this.callerKey);
    const url = `${this.aws.url}/devices/${device}/sources/${source}${path}`;
    return fetch(url, { ...init, headers });
  }

  async stop(): Promise<void> {
    for (const agent of this.agents) await agent.stop();
    await this.aws.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
