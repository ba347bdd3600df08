import { ManualClock } from '@pullwire/shared/manual-clock';
import { PostError } from '../src/connection/poster.ts';
import { PendingWork } from '../src/lambda/pending-work.ts';
import { RemoteDevices } from '../src/lambda/remote-devices.ts';
import type { LinkRegistry } from '../src/registry/memory-links.ts';
import { MemoryLinks } from '../src/registry/memory-links.ts';
import type { LinkRecord } from '../src/registry/registry.ts';
import { profile } from '../src/registry/registry-sample.ts';
import { FrameReceiver } from '../src/session/frame-receiver.ts';
import {
  closeGatewayLink,
  type GatewayConnection,
  openGatewayLink,
} from '../src/session/gateway-link.ts';
import type { LinkIdentity } from '../src/session/link-session.ts';
import { CallScheduler, type Choose } from './call-scheduler.ts';

const nothing = () => undefined;

/** What happens to a link: `hello newer`. Everything but its `connect` waits until that is answered. */
export type Happening = `${'connect' | 'hello' | 'drain' | 'gone' | 'disconnect'} ${string}`;

/** A link as its agent sees it. */
interface AgentView {
  readonly connection: GatewayConnection;
  accepted: boolean;
  welcomed: boolean;
  drains: boolean;
  ended: boolean;
  told: boolean;
}

interface GatewayBenchOptions {
  readonly device?: string;
  guarded?(scheduler: CallScheduler): LinkRegistry;
}

/** The use cases that a gateway's events reach, any number of them at once, over a registry whose calls are scheduled. */
export class GatewayBench {
  readonly #links: LinkRegistry;
  readonly #identity: LinkIdentity;
  readonly #scheduler = new CallScheduler();
  readonly #registry: LinkRegistry;
  readonly #views = new Map<string, AgentView>();
  readonly #connected = new Map<string, PromiseWithResolvers<void>>();
  readonly #clock = new ManualClock();
  readonly #failures: unknown[] = [];
  readonly #receiver: FrameReceiver;

  /** `guarded`: where it is not each call of the registry as a whole that waits for its turn. */
  constructor(
    links: LinkRegistry = new MemoryLinks(),
    { guarded, device = profile.device }: GatewayBenchOptions = {},
  ) {
    this.#links = links;
    this.#identity = { device, instance: 'main' };
    this.#registry = guarded?.(this.#scheduler) ?? this.#scheduler.guard(links);
    this.#receiver = this.#createReceiver();
  }

  /** One after the other, or all at once with their calls in the order that is chosen. */
  async happen(happenings: readonly Happening[], choose?: Choose): Promise<void> {
    if (choose === undefined) {
      for (const happening of happenings) await this.happen([happening], () => 0);
      return;
    }
    for (const happening of happenings) this.#begin(happening);
    await this.#scheduler.run(choose);
    if (this.#failures.length > 0) throw this.#failures[0];
  }

  /** What the agents believe. */
  get believed() {
    const views = [...this.#views.values()].filter(({ accepted }) => accepted);
    const open = views.filter(
      ({ welcomed, drains, ended, told }) => welcomed && !(drains || ended || told),
    );
    const latest = views.toSorted((a, b) => order(a.connection, b.connection)).at(-1);
    return {
      takes: open.map(({ connection }) => connection.connectionId),
      latest: latest?.connection.connectionId,
      over: latest?.ended === true || latest?.told === true,
    };
  }

  /** What the registry says, read as pulls read it. */
  async known(): Promise<GatewayBench['believed']> {
    const record = await this.#links.link(this.#identity.device, this.#identity.instance);
    return {
      takes: await this.#targets(record),
      latest: record?.connectionId,
      over: record?.closedAt !== undefined,
    };
  }

  async #targets(record: LinkRecord | undefined): Promise<string[]> {
    const devices = new RemoteDevices({
      registry: {
        device: async () => ({ record: profile, links: record === undefined ? [] : [record] }),
        devices: async () => ({ items: [] }),
        removeDevice: async () => true,
        closeLink: async () => true,
      },
      poster: { post: async () => undefined, disconnect: async () => undefined },
      channel: { ready: async () => 'c', prove: async () => undefined },
      work: new PendingWork(),
      clock: this.#clock,
    });
    const targets = (await devices.find(profile.device))?.targets ?? [];
    return targets
      .filter(({ draining }) => !draining)
      .map(({ connection }) => connection.connectionId);
  }

  #begin(happening: Happening): void {
    const [what = '', id = ''] = happening.split(' ');
    const connected = this.#connectedOf(id);
    const begun =
      what === 'connect' ? this.#connect(id) : connected.promise.then(() => this.#meet(what, id));
    begun.catch((error) => this.#failures.push(error));
  }

  /** The id says when: `c2` came after `c1`. */
  #view(id: string): AgentView {
    const connection = {
      connectionId: id,
      connectedAt: Number(id.replace(/\D/g, '')),
      identity: this.#identity,
    };
    const fresh = {
      connection,
      accepted: false,
      welcomed: false,
      drains: false,
      ended: false,
      told: false,
    };
    const view = this.#views.get(id) ?? fresh;
    this.#views.set(id, view);
    return view;
  }

  #connectedOf(id: string): PromiseWithResolvers<void> {
    const connected = this.#connected.get(id) ?? Promise.withResolvers<void>();
    this.#connected.set(id, connected);
    return connected;
  }

  async #connect(id: string): Promise<void> {
    const view = this.#view(id);
    const opened = { ...view.connection, subprotocol: 'pullwire.v1+json' } as const;
    const answer = await openGatewayLink(this.#registry, opened, Promise.resolve());
    if (answer === 'opened') view.accepted = true;
    this.#connectedOf(id).resolve();
  }

  /** Of a link whose handshake was refused nothing comes. */
  async #meet(what: string, id: string): Promise<void> {
    const view = this.#view(id);
    if (!view.accepted) return;
    if (what === 'gone' || what === 'disconnect') return this.#end(view, what);
    if (what === 'drain') view.drains = true;
    const message = what === 'drain' ? { action: 'drain' } : helloMessage;
    await this.#receiver.receive(
      view.connection,
      JSON.stringify({ ...message, ...this.#identity }),
    );
  }

  async #end(view: AgentView, why: string): Promise<void> {
    view.ended = true;
    await closeGatewayLink(this.#registry, view.connection, { at: this.#clock.wall(), why });
  }

  #createReceiver(): FrameReceiver {
    const registry = this.#registry;
    return new FrameReceiver({
      registry: {
        describeLink: (...args) => registry.describeLink(...args),
        drainLink: (...args) => registry.drainLink(...args),
        closeLink: (...args) => registry.closeLink(...args),
        device: async () => undefined,
      },
      rotation: {
        offer: async ({ device: _ }, key) => ({ action: 'rotated', publicKey: key.publicKey }),
      },
      readings: { receive: async (_, { batch }) => ({ action: 'stored', batch }) },
      poster: {
        post: async (id, text) => this.#post(this.#view(id), text),
        disconnect: async (id) => this.#disconnect(this.#view(id)),
      },
      queue: { linked: async () => undefined, received: async () => undefined },
      keys: [],
      clock: this.#clock,
      terms: {
        relay: 'r/1',
        pulls: 8,
        heartbeat: { intervalMs: 1, timeoutMs: 1 },
        features: [],
        lifeMs: 7_200_000,
      },
      events: {
        opened: nothing,
        ended: nothing,
        draining: nothing,
        stray: nothing,
        undelivered: nothing,
        ignored: nothing,
        rotated: nothing,
        readings: nothing,
      },
    });
  }

  #post(view: AgentView, text: string): void {
    if (view.ended) throw new PostError('gone', 'gone');
    const { action } = JSON.parse(text) as { readonly action: string };
    if (action === 'welcome') view.welcomed = true;
    if (action === 'bye') view.told = true;
  }

  /** The gateway closes it, and says so as of any other that ends. */
  #disconnect(view: AgentView): void {
    if (view.ended) return;
    view.ended = true;
    this.#begin(`disconnect ${view.connection.connectionId}`);
  }
}

const helloMessage = {
  action: 'hello',
  version: 1,
  agent: 'a/1',
  sources: [],
  labels: {},
  features: [],
};

function order(a: GatewayConnection, b: GatewayConnection): number {
  return a.connectedAt - b.connectedAt || (a.connectionId < b.connectionId ? -1 : 1);
}
