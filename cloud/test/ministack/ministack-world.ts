import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AgentProcess, enrolAgent, handshakeToken, makeDeviceKey } from './agent-process.ts';
import { zipFolder } from './build-programs.ts';
import { deployRelay, type RelayOnMinistack } from './deploy-relay.ts';
import { Ministack } from './ministack.ts';
import { Operator } from './operator.ts';
import { type Passage, Tap } from './tap.ts';

export interface MinistackWorldOptions {
  readonly device?: string;
  /** The `sources:` of the agent's configuration. */
  readonly sources: Readonly<Record<string, unknown>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly told?: (passage: Passage) => void;
  /** See `TapOptions`. */
  readonly overheard?: (bytes: Buffer) => void;
  /** The device brings its key itself, with a code, in place of `device add`. */
  readonly enrols?: boolean;
  /** What stands, as it comes to stand. */
  readonly progress?: (what: string) => void;
}

/**
 * The relay's zips on ministack, a device with its agent, and a caller who may do everything there. `buildPrograms`
 * makes what runs.
 */
export class MinistackWorld {
  readonly device: string;
  readonly #options: MinistackWorldOptions;
  #folder: string | undefined;
  #tap: Tap | undefined;
  #ministack: Ministack | undefined;
  #relay: RelayOnMinistack | undefined;
  #operator: Operator | undefined;
  #agent: AgentProcess | undefined;
  #callerKey = '';
  /** The code with which the device enrolled; empty where it did not. */
  enrolCode = '';

  private constructor(options: MinistackWorldOptions) {
    this.#options = options;
    this.device = options.device ?? 'plant-7';
  }

  /** Resolves when the agent's link is open. */
  static async start(options: MinistackWorldOptions): Promise<MinistackWorld> {
    const world = new MinistackWorld(options);
    try {
      await world.#startRelay();
      await world.#addDevice();
      await world.startAgent();
      return world;
    } catch (error) {
      await world.stop();
      throw error;
    }
  }

  get relay(): RelayOnMinistack {
    return started(this.#relay);
  }

  get ministack(): Ministack {
    return started(this.#ministack);
  }

  get operator(): Operator {
    return started(this.#operator);
  }

  get agent(): AgentProcess {
    return started(this.#agent);
  }

  get callerKey(): string {
    return this.#callerKey;
  }

  path(source: string, path: string): string {
    return `/devices/${this.device}/sources/${source}${path}`;
  }

  /** A pull, by fetch. */
  pull(source: string, path: string, init: RequestInit = {}): Promise<Response> {
    return this.ask(this.path(source, path), init);
  }

  /** A request to the relay, with the caller's key unless the headers have another. */
  ask(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has('Pullwire-Key')) headers.set('Pullwire-Key', this.#callerKey);
    return fetch(this.relay.httpUrl + path, { ...init, headers });
  }

  async startAgent(): Promise<void> {
    this.#agent = await AgentProcess.start(join(started(this.#folder), 'agent.json'));
    this.#options.progress?.('the agent dialled out and its link is open');
  }

  /** A token with which its agent would dial. */
  handshakeToken(): Promise<string> {
    return handshakeToken(join(started(this.#folder), 'agent.json'));
  }

  async stopAgent(): Promise<void> {
    await this.#agent?.stop();
  }

  async stop(): Promise<void> {
    await this.#agent?.stop();
    await this.#ministack?.stop();
    await this.#tap?.stop();
    if (this.#folder !== undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  /** What every function said so far, for a test that fails. */
  async functionLogs(): Promise<string> {
    const names = Object.values(this.relay.functions);
    const logs = names.map(async (name) => {
      const said = await this.ministack.functionLog(name);
      return `--- ${name}\n${said}`;
    });
    return (await Promise.all(logs)).join('\n');
  }

  async #startRelay(): Promise<void> {
    const { environment = {}, told, overheard, progress = () => undefined } = this.#options;
    const tap = await Tap.start({
      ...(told === undefined ? {} : { told }),
      ...(overheard === undefined ? {} : { overheard }),
    });
    this.#tap = tap;
    const ministack = await Ministack.start({ AWS_ENDPOINT_URL: tap.url });
    this.#ministack = ministack;
    tap.before(ministack.endpoint);
    progress(`ministack, an AWS on loopback, serves at ${ministack.endpoint}`);
    const relay = await deployRelay(ministack, { zipFolder, environment, origin: tap.url });
    this.#relay = relay;
    this.#operator = new Operator(ministack, relay);
    progress(`the relay stands there: ${Object.keys(relay.functions).join(', ')}`);
  }

  async #addDevice(): Promise<void> {
    const folder = await mkdtemp(join(tmpdir(), 'pullwire-world-'));
    this.#folder = folder;
    const config = join(folder, 'agent.json');
    if (this.#options.enrols === true) await this.#enrol(config);
    else await this.#addByKey(config);
    this.#callerKey = await this.operator.addKey();
    this.#options.progress?.(`device ${this.device} and a caller's key are in the table`);
  }

  /** Where the device has its private key. */
  get keyFile(): string {
    return join(started(this.#folder), this.#options.enrols ? 'identity' : '', 'device.key');
  }

  /** What is written says what the device offers; who it is, and where it dials, the agent adds. */
  async #enrol(config: string): Promise<void> {
    const { sources } = this.#options;
    await writeFile(config, JSON.stringify({ sources }));
    this.enrolCode = await this.operator.enrolCode(['--device', this.device]);
    await enrolAgent(this.relay.httpUrl, this.enrolCode, config);
  }

  async #addByKey(config: string): Promise<void> {
    const { device, keyFile, relay } = this;
    await this.operator.addDevice(device, await makeDeviceKey(keyFile));
    const { sources } = this.#options;
    await writeFile(config, JSON.stringify({ relay: relay.linkUrl, device, keyFile, sources }));
  }
}

function started<T>(part: T | undefined): T {
  if (part === undefined) throw new Error('the world has not started');
  return part;
}
