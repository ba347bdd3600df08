import type { KeyObject } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import type { Clock } from '@pullwire/shared';
import type { AgentConfig } from '../config/agent-config.ts';
import { type Environment, openTunnel, proxyFor, type Tunnel } from '../link/proxy.ts';
import { RelayClock } from '../link/relay-clock.ts';
import { relayTrust } from '../link/relay-trust.ts';
import type { SourceDeps } from '../source/source-deps.ts';
import type { Handshake } from './handshake.ts';

export interface PatientDeps extends SourceDeps {
  /** @throws ConfigError with every mistake at once. */
  loadConfig(): AgentConfig;
  /** Unique, 16–64 characters of base64url: for the tokens' `jti`. */
  newId(): string;
  /** Of this process; undefined where the system has none. */
  readonly userId: number | undefined;
}

/** Where the first TCP connection goes: the relay, or the proxy before it. */
export interface FirstHop {
  readonly host: string;
  readonly port: number;
  /** `host:port`, for people. */
  readonly label: string;
}

/** The device's keys, as the agent's key ring would read them. */
export interface PatientKeys {
  readonly current: KeyObject;
  /** Offered to the relay, and not settled yet. */
  readonly next: KeyObject | undefined;
}

/** What is examined: the agent's configuration, and what the checks have found out for those after them. */
export class Patient {
  readonly deps: PatientDeps;
  readonly relayClock: RelayClock;
  #config: AgentConfig | undefined;
  #context: SecureContext | undefined;
  #keys: PatientKeys | undefined;
  #handshake: Handshake | undefined;

  constructor(deps: PatientDeps) {
    this.deps = deps;
    this.relayClock = new RelayClock(deps.clock);
  }

  get clock(): Clock {
    return this.deps.clock;
  }

  get env(): Environment {
    return this.deps.env;
  }

  /** Only for checks that need `config`. */
  get config(): AgentConfig {
    if (this.#config === undefined) throw new Error('the configuration was not read');
    return this.#config;
  }

  get hasConfig(): boolean {
    return this.#config !== undefined;
  }

  /** Reads the configuration, as every command does. @throws ConfigError */
  readConfig(): AgentConfig {
    this.#config = this.deps.loadConfig();
    return this.#config;
  }

  get relay(): URL {
    return new URL(this.config.relay);
  }

  get isSecure(): boolean {
    return this.relay.protocol === 'wss:';
  }

  /** As the agent trusts. */
  get secureContext(): SecureContext {
    this.#context ??= relayTrust(this.config.ca);
    return this.#context;
  }

  /** As the agent finds it. @throws ProxyError */
  get proxy(): URL | undefined {
    return proxyFor(this.relay, this.env);
  }

  /** A way through the proxy for one connection, as the agent opens it; undefined where there is no proxy. */
  tunnel(): Tunnel | undefined {
    const { proxy } = this;
    return proxy && openTunnel(proxy, this.secureContext);
  }

  get firstHop(): FirstHop {
    const url = this.proxy ?? this.relay;
    const port = Number(url.port || (/^(wss|https):$/.test(url.protocol) ? 443 : 80));
    const host = url.hostname.replace(/^\[|\]$/g, '');
    return { host, port, label: `${url.hostname}:${port}` };
  }

  /** Undefined where an issuer's token stands in their place. */
  get keys(): PatientKeys | undefined {
    return this.#keys;
  }

  hasKeys(keys: PatientKeys): void {
    this.#keys = keys;
  }

  /** The handshake that was tried, where one was. */
  get handshake(): Handshake | undefined {
    return this.#handshake;
  }

  tried(handshake: Handshake): void {
    this.#handshake = handshake;
  }

  /** Ends what the checks have left open. */
  async close(): Promise<void> {
    await this.#handshake?.close();
  }
}
