import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { handshakeToken, type TokenClaims } from './handshake-token.ts';
import { command, Program } from './program.ts';

export interface WorldOptions {
  readonly device?: string;
  /** `https` where `relayArgs` name a certificate. */
  readonly scheme?: 'http' | 'https';
  /** The `sources:` of the agent's configuration. */
  readonly sources: Readonly<Record<string, unknown>>;
  /** Further keys of the agent's configuration. */
  readonly agent?: Readonly<Record<string, unknown>>;
  /** The relay's data folder; usual: one in the world's own folder. */
  readonly dataFolder?: string;
  /** In place of the data folder: where operators' commands and the relay find the registry. */
  readonly registryArgs?: readonly string[];
  /** Further arguments of `pullwire-relay serve`. */
  readonly relayArgs?: readonly string[];
  /** The relay's configuration file. */
  readonly relayConfig?: Readonly<Record<string, unknown>>;
  /** Further environment of the relay, `PULLWIRE_RELAY_…`. */
  readonly relayEnv?: Readonly<Record<string, string>>;
}

/**
 * A relay, a device with its agent, and a caller who may do everything there: real processes in a folder of their own,
 * on a free port of loopback.
 */
export class World {
  readonly folder: string;
  readonly device: string;
  readonly #options: WorldOptions;
  #relay: Program | undefined;
  #agent: Program | undefined;
  #port = 0;
  #callerKey = '';
  /** Every secret that this world made: none may be in a log. */
  readonly secrets: string[] = [];
  readonly #programs: Program[] = [];

  private constructor(options: WorldOptions) {
    this.#options = options;
    this.device = options.device ?? 'plant-7';
    this.folder = mkdtempSync(join(tmpdir(), 'pullwire-test-'));
  }

  /** Resolves when the agent's link is open. */
  static async start(options: WorldOptions): Promise<World> {
    const world = new World(options);
    try {
      await world.startRelay();
      await world.addDevice(world.device, 'device.key');
      world.#callerKey = await world.addKey(['--name', 'ops', '--methods', '*']);
      world.writeAgentConfig(options.sources, options.agent);
      await world.startAgent();
      return world;
    } catch (error) {
      await world.stop();
      throw error;
    }
  }

  get relay(): Program {
    if (this.#relay === undefined) throw new Error('there is no relay');
    return this.#relay;
  }

  get agent(): Program {
    if (this.#agent === undefined) throw new Error('there is no agent');
    return this.#agent;
  }

  get port(): number {
    return this.#port;
  }

  get url(): string {
    return `${this.#options.scheme ?? 'http'}://127.0.0.1:${this.#port}`;
  }

  /** Where agents dial. */
  get linkUrl(): string {
    return `${this.url.replace(/^http/, 'ws')}/link`;
  }

  get callerKey(): string {
    return this.#callerKey;
  }

  get dataFolder(): string {
    return this.#options.dataFolder ?? join(this.folder, 'relay');
  }

  get agentConfigFile(): string {
    return join(this.folder, 'agent.json');
  }

  /** Keeps its port over a restart. */
  async startRelay(): Promise<void> {
    const relay = new Program(
      'relay',
      [
        'serve',
        ...this.#registryArgs,
        '--listen',
        `127.0.0.1:${this.#port}`,
        ...this.#relayConfigArgs(),
        ...(this.#options.relayArgs ?? []),
      ],
      this.#options.relayEnv,
    );
    this.#relay = relay;
    this.#programs.push(relay);
    const line = await relay.line('listening', 0);
    this.#port = Number(new URL(String(line['url'])).port);
  }

  get #registryArgs(): readonly string[] {
    return this.#options.registryArgs ?? ['--data', this.dataFolder];
  }

  #relayConfigArgs(): string[] {
    const { relayConfig } = this.#options;
    if (relayConfig === undefined) return [];
    const file = join(this.folder, 'relay.json');
    writeFileSync(file, JSON.stringify(relayConfig));
    return ['--config', file];
  }

  async startAgent(): Promise<void> {
    this.#agent = this.runAgent();
    await this.#agent.line('link open', 0);
  }

  /** In the place of one that has ended; linked or not. */
  runAgentAgain(): void {
    this.#agent = this.runAgent();
  }

  /** The device's agent, linked or not. */
  runAgent(): Program {
    const agent = new Program('agent', ['run', '--config', this.agentConfigFile]);
    this.#programs.push(agent);
    return agent;
  }

  /** Another device with an agent of its own; resolves when its link is open. `more`: keys of its configuration. */
  async startFurtherAgent(
    device: string,
    sources: WorldOptions['sources'],
    more: Readonly<Record<string, unknown>> = {},
    env: Readonly<Record<string, string>> = {},
  ): Promise<Program> {
    await this.addDevice(device, `${device}.key`);
    const keyFile = join(this.folder, `${device}.key`);
    const config = join(this.folder, `${device}.json`);
    const own = { relay: this.linkUrl, device, keyFile, ...more, sources };
    writeFileSync(config, JSON.stringify(own));
    const agent = new Program('agent', ['run', '--config', config], env);
    this.#programs.push(agent);
    await agent.line('link open', 0);
    return agent;
  }

  /** A further instance of this world's device, with the same key; resolves when its link is open. */
  async startInstance(
    instance: string,
    sources: WorldOptions['sources'],
    settings: WorldOptions['agent'] = {},
  ): Promise<Program> {
    const config = join(this.folder, `instance-${instance}.json`);
    const { linkUrl: relay, device } = this;
    const keyFile = join(this.folder, 'device.key');
    writeFileSync(
      config,
      JSON.stringify({ relay, device, keyFile, instance, ...settings, sources }),
    );
    const agent = new Program('agent', ['run', '--config', config]);
    this.#programs.push(agent);
    await agent.line('link open', 0);
    return agent;
  }

  writeAgentConfig(
    sources: WorldOptions['sources'],
    more: Readonly<Record<string, unknown>> = {},
  ): void {
    const config = {
      relay: this.linkUrl,
      device: this.device,
      keyFile: join(this.folder, 'device.key'),
      ...more,
      sources,
    };
    writeFileSync(this.agentConfigFile, JSON.stringify(config));
  }

  /** Makes a device key in this world's folder; resolves with its public half. */
  makeKey(keyFile: string): Promise<string> {
    return succeed('agent', ['keygen', '--out', join(this.folder, keyFile)]);
  }

  /** Makes a device key and tells the relay its public half. */
  async addDevice(device: string, keyFile: string, args: readonly string[] = []): Promise<void> {
    const publicKey = await this.makeKey(keyFile);
    await this.operate(['device', 'add', device, '--public-key', publicKey, ...args]);
  }

  /** Makes a caller's key: all devices and sources unless the arguments say otherwise. */
  async addKey(args: readonly string[]): Promise<string> {
    const key = await this.operate(['key', 'add', ...args]);
    this.secrets.push(key);
    return key;
  }

  /** One of the operator's commands; resolves with its stdout, rejects with its stderr. */
  async operate(args: readonly string[]): Promise<string> {
    return succeed('relay', [...args, ...this.#registryArgs]);
  }

  /** A handshake token of this world's device, by the agent's own command. */
  async token(): Promise<string> {
    const token = await succeed('agent', ['token', '--config', this.agentConfigFile]);
    this.secrets.push(token);
    return token;
  }

  /** A handshake token that says to be of `device`, signed with the key in `keyFile`. */
  tokenOf(device: string, keyFile: string, claims: Partial<TokenClaims> = {}): string {
    const audience = new URL(this.url).host;
    const token = handshakeToken(join(this.folder, keyFile), { device, audience, ...claims });
    this.secrets.push(token);
    return token;
  }

  path(source: string, path: string): string {
    return `/devices/${this.device}/sources/${source}${path}`;
  }

  /** A pull, by fetch. */
  pull(source: string, path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has('Pullwire-Key')) headers.set('Pullwire-Key', this.#callerKey);
    return fetch(this.url + this.path(source, path), { ...init, headers });
  }

  /** `GET` of one of the relay's own routes. */
  get(path: string): Promise<Response> {
    return fetch(this.url + path, { headers: { 'Pullwire-Key': this.#callerKey } });
  }

  /** Everything that its processes logged. */
  get logs(): string {
    return this.#programs.flatMap((program) => program.lines.map((line) => line.text)).join('\n');
  }

  /** Ends all processes and removes the folder. */
  async stop(): Promise<void> {
    for (const program of [...this.#programs].reverse()) {
      program.signal('SIGCONT');
      await program.stop();
    }
    rmSync(this.folder, { recursive: true, force: true });
  }
}

async function succeed(name: 'relay' | 'agent', args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await command(name, args);
  if (code !== 0) throw new Error(`${name} ${args.join(' ')} ended with ${code}: ${stderr}`);
  return stdout.trim();
}
