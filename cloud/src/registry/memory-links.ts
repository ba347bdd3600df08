import type { LinkDescription, LinkRecord, Registry } from './registry.ts';
import { isNewer } from './serving-link.ts';

/** The part of a registry that is about links. */
export type LinkRegistry = Pick<
  Registry,
  'link' | 'openLink' | 'replaceLink' | 'describeLink' | 'drainLink' | 'closeLink'
>;

/** For tests: links in memory, thousands of times faster than an engine, and held to the same contract. */
export class MemoryLinks implements LinkRegistry {
  readonly #links = new Map<string, LinkRecord>();

  async link(device: string, instance: string): Promise<LinkRecord | undefined> {
    return this.#links.get(`${device}#${instance}`);
  }

  async openLink(link: LinkRecord): Promise<'opened' | 'older'> {
    const stored = this.#stored(link);
    if (stored === undefined || isNewer(link, stored)) this.#put(link);
    else if (stored.connectionId !== link.connectionId || stored.closedAt) return 'older';
    return 'opened';
  }

  async replaceLink(before: LinkRecord | undefined, link: LinkRecord): Promise<boolean> {
    // What is stored is never changed in place: the same record is an unchanged one.
    const unchanged = this.#stored(link) === before;
    if (unchanged) this.#put(link);
    return unchanged;
  }

  async describeLink(
    device: string,
    instance: string,
    connectionId: string,
    hello: LinkDescription,
  ): Promise<LinkRecord | undefined> {
    const { agent, sources, labels, features, run } = hello;
    return this.#change({ device, instance }, connectionId, {
      own: () => ({ agent, sources, labels, features, ...(run !== undefined && { run }) }),
      served: () => ({ sources, labels, features }),
    });
  }

  async drainLink(device: string, instance: string, connectionId: string, at: number) {
    const changed = this.#change({ device, instance }, connectionId, {
      own: () => ({ drainingAt: at }),
      served: () => ({ replaces: undefined }),
    });
    return changed !== undefined;
  }

  async closeLink(
    device: string,
    instance: string,
    connectionId: string,
    end: { readonly at: number; readonly why: string },
  ): Promise<boolean> {
    const changed = this.#change({ device, instance }, connectionId, {
      own: () => ({ closedAt: end.at, closedWhy: end.why }),
      served: () => ({ replaces: undefined }),
    });
    return changed !== undefined;
  }

  #change(
    key: Pick<LinkRecord, 'device' | 'instance'>,
    connectionId: string,
    change: Record<'own' | 'served', () => Partial<{ [K in keyof LinkRecord]: unknown }>>,
  ): LinkRecord | undefined {
    const stored = this.#stored(key);
    if (stored === undefined) return undefined;
    const isOwn = stored.connectionId === connectionId && stored.closedAt === undefined;
    const isServed = stored.replaces === connectionId && stored.agent === '';
    if (!isOwn && !isServed) return undefined;
    const changed = { ...stored, ...(isOwn ? change.own() : change.served()) } as LinkRecord;
    return this.#put(changed);
  }

  #stored({ device, instance }: Pick<LinkRecord, 'device' | 'instance'>): LinkRecord | undefined {
    return this.#links.get(`${device}#${instance}`);
  }

  /** As an engine keeps it: what is undefined is not there. */
  #put(link: LinkRecord): LinkRecord {
    const fields = Object.entries(link).filter(([, value]) => value !== undefined);
    // Only fields without a value are left out, and those are optional: it is still a LinkRecord.
    const kept = Object.fromEntries(fields) as unknown as LinkRecord;
    this.#links.set(`${link.device}#${link.instance}`, kept);
    return kept;
  }
}
