import { readdirSync } from 'node:fs';
import type { Pull } from '@pullwire/shared';
import { expect } from 'vitest';
import { generateCallerKey } from '../src/auth/caller-key.ts';
import type { Grant } from '../src/registry/registry.ts';
import { HandLink, TemporaryRelay } from '../src/server/temporary-relay.ts';
import { SigningDevice } from './signing-device.ts';

const everything: Grant = { devices: ['*'], sources: ['*'], methods: ['*'] };

/** Of a new key. */
export type CallerKey = ReturnType<typeof generateCallerKey>;

export interface QueuedState {
  readonly state: string;
  readonly bytes?: number;
  readonly problem?: { readonly code: string; readonly detail: string };
}

/** A one-box relay, callers with queued pulls, and a device whose agent is played by hand; it offers `web`. */
export class QueueWorld {
  readonly plant = 'plant-7';
  readonly relay: TemporaryRelay;
  readonly #device: SigningDevice;
  readonly key: CallerKey;

  private constructor(relay: TemporaryRelay, device: SigningDevice, key: CallerKey) {
    this.relay = relay;
    this.#device = device;
    this.key = key;
  }

  static async start(): Promise<QueueWorld> {
    const relay = await TemporaryRelay.start();
    const world = new QueueWorld(relay, new SigningDevice('plant-7'), generateCallerKey());
    await world.know(world.plant);
    await world.#add(world.key, [everything]);
    return world;
  }

  async know(id: string, createdAt = Date.now() - 60_000): Promise<void> {
    const { publicKey } = this.#device;
    await this.relay.registry.addDevice({ device: id, publicKey, labels: {}, createdAt });
  }

  async addKey(grants: Grant[] = [everything]): Promise<CallerKey> {
    const made = generateCallerKey();
    await this.#add(made, grants);
    return made;
  }

  ask(path: string, init: RequestInit = {}, as = this.key): Promise<Response> {
    const headers = { 'Pullwire-Key': as.key, ...init.headers };
    return fetch(`http://${this.relay.host}${path}`, { ...init, headers });
  }

  queue(path: string, at = this.plant, as = this.key, init: RequestInit = {}): Promise<Response> {
    const headers = { Prefer: 'respond-async' };
    const pull = { method: 'POST', body: 'x', headers, ...init };
    return this.ask(`/devices/${at}/sources/web${path}`, pull, as);
  }

  async stateOf(answer: Response): Promise<QueuedState> {
    const place = answer.headers.get('location') ?? '';
    return (await (await this.ask(place)).json()) as QueuedState;
  }

  result(answer: Response): Promise<Response> {
    return this.ask(`${answer.headers.get('location')}/result`);
  }

  /** Asks until the pull has this state. */
  async comesTo(answer: Response, wanted: string): Promise<QueuedState> {
    for (;;) {
      const now = await this.stateOf(answer);
      if (now.state === wanted) return now;
      if (now.state !== 'queued' && now.state !== 'sent')
        expect(now).toMatchObject({ state: wanted });
    }
  }

  async link(): Promise<HandLink> {
    const dialled = await this.relay.dial(await this.#device.token(this.relay.host));
    if (!(dialled instanceof HandLink)) throw new Error(`the relay answered ${dialled.status}`);
    dialled.say({
      action: 'hello',
      ...{ version: 1, agent: 'hand/1', device: this.plant, instance: 'main' },
      sources: [{ name: 'web', kind: 'http', methods: ['GET', 'POST'] }],
      ...{ labels: {}, features: [] },
    });
    await dialled.heard('welcome');
    return dialled;
  }

  /** Files of bodies, half written ones too. */
  get files(): string[] {
    const files = readdirSync(this.relay.queueFolder, { recursive: true, withFileTypes: true });
    return files.filter((entry) => entry.isFile()).map(({ name }) => name);
  }

  stop(): Promise<void> {
    return this.relay.stop();
  }

  async #add({ id, hash, prefix }: CallerKey, grants: Grant[]): Promise<void> {
    await this.relay.registry.addKey({ id, name: 'ops', hash, prefix, grants, createdAt: 1 });
  }
}

/** Plays the agent's answer to a pull, a frame at a time, within the credit that the relay gives. */
export class HandReply {
  readonly #link: HandLink;
  readonly #pull: Pull;
  #seq = 1;
  #sent = 0;
  #limit: number;

  constructor(link: HandLink, pull: Pull, headers: readonly string[] = []) {
    this.#link = link;
    this.#pull = pull;
    this.#limit = pull.credit;
    const { pullId, replyTo } = pull;
    link.say({ action: 'head', pullId, replyTo, seq: 0, status: 200, headers, end: false });
  }

  get sent(): number {
    return this.#sent;
  }

  async body(body: Uint8Array, { end = false } = {}): Promise<void> {
    const { pullId, replyTo } = this.#pull;
    const pieceBytes = 20_000;
    for (let at = 0; at < body.length; at += pieceBytes) {
      const piece = body.subarray(at, at + pieceBytes);
      while (this.#sent + piece.length > this.#limit) {
        const { limit } = await this.#link.heard('credit');
        this.#limit = Math.max(this.#limit, limit);
      }
      const last = end && at + pieceBytes >= body.length;
      this.#link.say({ action: 'body', pullId, replyTo, seq: this.#seq, body: piece, end: last });
      this.#seq += 1;
      this.#sent += piece.length;
    }
  }
}
