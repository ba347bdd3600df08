import { createHash, createPublicKey, generateKeyPairSync, randomUUID } from 'node:crypto';
import { signKeyProof } from '../../agent/src/identity/key-proof.ts';
import { generateCallerKey } from '../../cloud/src/auth/caller-key.ts';
import { generateEnrolCode } from '../../cloud/src/enroll/enrol-code.ts';
import type { EnrolCodeRecord, Grant, KeyRecord } from '../../cloud/src/registry/registry.ts';
import { type AttackHost, type attackHosts, startAttackHost } from './attack-host.ts';
import type { TokenRecipe } from './attack-row.ts';
import { AttackKeys, attackToken } from './attack-token.ts';
import { HandAgent, type WireFrame } from './hand-agent.ts';
import { IssuerServer } from './issuer-server.ts';
import { createOrigin, type TinyOrigin } from './tiny-origin.ts';

const grants: Readonly<Record<string, readonly Grant[]>> = {
  full: [{ devices: ['*'], sources: ['*'], methods: ['*'], manage: true }],
  narrow: [{ devices: ['plant-*'], sources: ['web', 'guarded'], methods: ['GET', 'HEAD'] }],
  label: [{ devices: ['*'], labels: { site: 'north' }, sources: ['*'], methods: ['*'] }],
  ended: [{ devices: ['*'], sources: ['*'], methods: ['*'], until: 1_000_000_000 }],
  nothing: [{ devices: ['elsewhere-*'], sources: ['*'], methods: ['*'], manage: true }],
  revoked: [{ devices: ['*'], sources: ['*'], methods: ['*'] }],
  expired: [{ devices: ['*'], sources: ['*'], methods: ['*'] }],
};

/** Devices that the relay knows besides plant-7, whose agent is real. */
const devices = ['plantx', 'mallory', 'labelled', 'victim', 'revoked'];

/** A relay with everything in it that the table of attacks names. */
export class AttackStage {
  readonly keys = new AttackKeys();
  /** Every secret that was made here: none may be in a log. */
  readonly secrets: string[] = [];
  readonly #callerKeys = new Map<string, string>();
  readonly #codes = new Map<string, string>();
  #host!: AttackHost;
  #issuer!: IssuerServer;
  #stranger!: IssuerServer;
  #origin!: TinyOrigin;
  #address = 0;
  readonly #links: HandAgent[] = [];

  static async start(name: (typeof attackHosts)[number]): Promise<AttackStage> {
    const stage = new AttackStage();
    try {
      await stage.#open(name);
      return stage;
    } catch (error) {
      await stage.stop();
      throw error;
    }
  }

  get registry(): AttackHost['registry'] {
    return this.#host.registry;
  }

  get logs(): string {
    return this.#host.logs;
  }

  /** Requests that reached the upstream. */
  get reached(): number {
    return this.#origin.requests;
  }

  get originHeaders(): TinyOrigin['lastHeaders'] {
    return this.#origin.lastHeaders;
  }

  settled(): Promise<void> {
    return this.#host.settled();
  }

  /** Puts the stage's credentials and names into a text. */
  readonly fill = (text: string): string =>
    text.replace(/\{([a-zA-Z]+)(?::([a-z0-9-]+))?(?::([a-z0-9-]+))?\}/g, (whole, kind, name) => {
      switch (kind) {
        case 'key':
          return this.#key(name);
        case 'KEY':
          return this.#key(name).toUpperCase();
        case 'keyId':
          return this.#key(name).slice(0, 'pwk_abcdef'.length);
        case 'hash':
          return createHash('sha256').update(this.#key(name)).digest('base64url');
        case 'basic':
          return Buffer.from(`ops:${this.#key(name)}`).toString('base64');
        case 'code':
          return this.#codes.get(name) ?? '';
        case 'audience':
          return new URL(this.#host.linkUrl).host;
        case 'issuer':
          return this.#issuer.url;
        case 'strangerJwks':
          return `${this.#stranger.url}/keys`;
        case 'kid':
          return createHash('sha256').update(this.keys.publicText(name)).digest('base64url');
        case 'jwk':
          return JSON.stringify(createPublicKey(this.keys.of(name)).export({ format: 'jwk' }));
        case 'publicKey':
          return this.keys.publicText(name);
        default:
          return whole;
      }
    });

  token(recipe: TokenRecipe): string {
    const token = attackToken(recipe, this.keys, this.fill);
    this.secrets.push(token);
    return token;
  }

  /** Headers of whoever attacks: an address of its own, where the host counts by address. */
  from(): Record<string, string> {
    if (!this.#host.byAddress) return {};
    this.#address += 1;
    return { 'X-Forwarded-For': `198.51.${this.#address >> 8}.${this.#address & 255}` };
  }

  ask(
    path: string,
    init: RequestInit & { headers?: Record<string, string> } = {},
  ): Promise<Response> {
    return fetch(this.#host.url + path, { ...init, headers: { ...this.from(), ...init.headers } });
  }

  get url(): string {
    return this.#host.url;
  }

  /** One handshake; resolves when it was answered. */
  async dial(init: Partial<ConstructorParameters<typeof HandAgent>[0]>): Promise<HandAgent> {
    const headers = { ...this.from(), ...init.headers };
    const agent = new HandAgent({ url: this.#host.linkUrl, ...init, headers });
    this.#links.push(agent);
    await agent.opened;
    return agent;
  }

  get linkUrl(): string {
    return this.#host.linkUrl;
  }

  /** A device of the stage, honestly linked. */
  async link(device: string, hello: Readonly<Record<string, unknown>> = {}): Promise<HandAgent> {
    const token = this.token({ key: device });
    const agent = await this.dial({ token });
    agent.sendHello(device, {
      sources: [{ name: 'web', kind: 'http', methods: ['GET'] }],
      features: ['rotate'],
      ...hello,
    });
    return agent;
  }

  /** Makes a code and returns it. */
  async code(changes: Partial<EnrolCodeRecord> = {}): Promise<string> {
    const { id, code, hash } = generateEnrolCode();
    const now = Date.now();
    const expiresAt = Math.ceil(now / 1_000) + 600;
    const record = { id, hash, labels: {}, createdAt: now, expiresAt, ...changes };
    await this.registry.addEnrolCode(record);
    this.secrets.push(code);
    return code;
  }

  /** `purpose`: `enroll:…` or `rotate:…`. */
  proof(key: string, purpose: string): Promise<string> {
    return signKeyProof(this.keys.of(key), purpose);
  }

  /** A key that only this attack knows. */
  newDeviceKey(): string {
    const name = `key-${randomUUID()}`;
    this.keys.add(name, generateKeyPairSync('ed25519').privateKey);
    return name;
  }

  async stop(): Promise<void> {
    for (const link of this.#links) link.terminate();
    await this.#host?.stop();
    this.#issuer?.stop();
    this.#stranger?.stop();
    await this.#origin?.stop();
  }

  async #open(name: (typeof attackHosts)[number]): Promise<void> {
    this.#origin = await createOrigin();
    this.#issuer = await IssuerServer.start();
    this.#stranger = await IssuerServer.start();
    this.#issuer.keys.set('issuer-1', this.keys.of('issuer'));
    this.#issuer.keys.set('issuer-es', this.keys.of('issuer-es'));
    this.#stranger.keys.set('issuer-1', this.keys.of('stranger-rsa'));
    const { url } = this.#origin;
    const methods = ['GET', 'HEAD', 'POST'];
    this.#host = await startAttackHost(name, {
      keys: this.keys,
      sources: {
        web: { kind: 'http', url, allow: [{ paths: ['/**'], methods }] },
        other: { kind: 'http', url, allow: [{ paths: ['/**'], methods }] },
        guarded: { kind: 'http', url, allow: [{ paths: ['/**'], callers: ['guard'] }] },
      },
      issuers: [this.#issuerConfig()],
    });
    for (const device of devices) await this.#addDevice(device);
    for (const [key, granted] of Object.entries(grants)) await this.#addKey(key, granted);
    this.#codes.set('good', await this.code());
    await this.link('labelled', { labels: { site: 'north' } }).then((link) => link.next('welcome'));
    await this.settled();
  }

  #issuerConfig(): object {
    const granted = { devices: ['plant-*'], sources: ['web'], methods: ['GET', 'HEAD'] };
    return {
      issuer: this.#issuer.url,
      audience: 'pullwire',
      algorithms: ['RS256'],
      agents: { device: 'sub' },
      callers: { grants: [{ when: { groups: 'ops' }, ...granted }] },
    };
  }

  async #addDevice(device: string): Promise<void> {
    this.keys.add(device, generateKeyPairSync('ed25519').privateKey);
    const publicKey = this.keys.publicText(device);
    await this.registry.addDevice({ device, publicKey, labels: {}, createdAt: Date.now() });
    if (device !== 'revoked') return;
    await this.registry.revokeDevice(device, { at: Date.now(), why: 'stolen' });
  }

  async #addKey(name: string, granted: readonly Grant[]): Promise<void> {
    const { id, key, hash, prefix } = generateCallerKey();
    const expiry = name === 'expired' ? { expiresAt: 1_000_000_000 } : {};
    const record: KeyRecord = { id, name, hash, prefix, grants: granted, createdAt: 1, ...expiry };
    await this.registry.addKey(record);
    if (name === 'revoked') await this.registry.revokeKey(id, Date.now());
    this.#callerKeys.set(name, key);
    this.secrets.push(key);
  }

  #key(name: string): string {
    const key = this.#callerKeys.get(name);
    if (key === undefined) throw new Error(`the stage has no caller key ${name}`);
    return key;
  }
}

/** A whole small reply. */
export function truth({ pullId, replyTo }: WireFrame): WireFrame {
  const body = Buffer.from('the truth').toString('base64');
  return { action: 'head', pullId, replyTo, seq: 0, status: 200, headers: [], body, end: true };
}
