import type { Clock, Timer } from '@pullwire/shared';
import type { LinkRecord, Registry } from '../registry/registry.ts';

interface LinkEnd {
  readonly at: number;
  readonly why: string;
}

interface Entry {
  link: LinkRecord;
  /** What of the link is still to be written; a link that is opened is described with it. */
  opens: boolean;
  describes: boolean;
  /** The opening may stand already, and only its answer be lost: what was described since is not in it. */
  tried: boolean;
  end: LinkEnd | undefined;
  /** Changes while a write is under way call for another. */
  version: number;
  /** A writer has it. */
  underWay: boolean;
}

export interface LinkJournalOptions {
  readonly registry: Pick<Registry, 'link' | 'openLink' | 'describeLink' | 'closeLink'>;
  readonly clock: Clock;
  failed(error: unknown, waiting: number): void;
}

const retryMs = 5_000;

/** Links that are written at a time: enough to keep the registry busy, few enough that a look-up need not wait. */
const writersAtOnce = 4;

/**
 * Writes what becomes of links to the registry, behind their backs: live links never wait for it. Changes of one link
 * that come together are one write; what fails is written again until it stands.
 */
export class LinkJournal {
  readonly #options: LinkJournalOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #writers = new Set<Promise<void>>();
  #retry: Timer | undefined;
  #stopped = false;

  constructor(options: LinkJournalOptions) {
    this.#options = options;
  }

  get waiting(): number {
    return this.#entries.size;
  }

  /** The link's whole record, after its first `hello`. */
  opened(link: LinkRecord): void {
    this.#note(link, { opens: true });
  }

  /** The agent described itself anew. */
  described(link: LinkRecord): void {
    this.#note(link, { describes: true });
  }

  /** The link's last word. */
  closed(link: LinkRecord, end: LinkEnd): void {
    this.#note(link, { end });
  }

  /** Links of the device that have ended, and the registry does not know it for sure yet. */
  unwrittenEnds(device: string): LinkRecord[] {
    const ended: LinkRecord[] = [];
    for (const { link, end } of this.#entries.values()) {
      if (link.device !== device || end === undefined) continue;
      ended.push({ ...link, closedAt: end.at, closedWhy: end.why });
    }
    return ended;
  }

  /** Resolves when all is written, or when the registry failed once more. */
  async flush(): Promise<void> {
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#write();
    while (this.#writers.size > 0) await Promise.all(this.#writers);
  }

  /** From now on nothing is noted: the registry may be somebody else's. */
  stop(): void {
    this.#stopped = true;
    this.#retry?.cancel();
    this.#entries.clear();
  }

  #note(link: LinkRecord, change: Partial<Pick<Entry, 'opens' | 'describes' | 'end'>>): void {
    if (this.#stopped) return;
    const { connectionId } = link;
    const entry = this.#entries.get(connectionId) ?? {
      link,
      opens: false,
      describes: false,
      tried: false,
      end: undefined,
      version: 0,
      underWay: false,
    };
    Object.assign(entry, change, { link, version: entry.version + 1 });
    this.#entries.set(connectionId, entry);
    this.#write();
  }

  #write(): void {
    while (this.#retry === undefined && this.#writers.size < writersAtOnce) {
      const next = this.#next();
      if (next === undefined) return;
      const writer = this.#writeOn(next).finally(() => this.#writers.delete(writer));
      this.#writers.add(writer);
    }
  }

  /** The first one that no writer has, and of whose instance none came before: those are written one after the other. */
  #next(): Entry | undefined {
    const before = new Set<string>();
    for (const entry of this.#entries.values()) {
      const instance = `${entry.link.device}#${entry.link.instance}`;
      if (!entry.underWay && !before.has(instance)) return entry;
      before.add(instance);
    }
    return undefined;
  }

  /** Writes this one and those that follow, until nothing is left or the registry fails. */
  async #writeOn(first: Entry): Promise<void> {
    let entry: Entry | undefined = first;
    while (entry !== undefined && this.#retry === undefined) {
      const { version } = entry;
      entry.underWay = true;
      try {
        await this.#writeOne(entry);
        this.#written(entry, version);
      } catch (error) {
        this.#failed(error);
      } finally {
        entry.underWay = false;
      }
      entry = this.#next();
    }
  }

  /** What has changed meanwhile is put back, at the end. */
  #written(entry: Entry, version: number): void {
    const { connectionId } = entry.link;
    this.#entries.delete(connectionId);
    if (entry.version !== version) this.#entries.set(connectionId, entry);
  }

  #failed(error: unknown): void {
    this.#options.failed(error, this.#entries.size);
    this.#retry ??= this.#options.clock.after(retryMs, () => {
      this.#retry = undefined;
      this.#write();
    });
  }

  async #writeOne(entry: Entry): Promise<void> {
    const { registry } = this.#options;
    const { link, opens, describes, tried, end } = entry;
    const { device, instance, connectionId } = link;
    entry.opens = false;
    entry.describes = false;
    try {
      entry.tried ||= opens;
      if (opens) await this.#open(link);
      if (describes && (tried || !opens))
        await registry.describeLink(device, instance, connectionId, link);
    } catch (error) {
      entry.opens ||= opens;
      entry.describes ||= describes;
      throw error;
    }
    if (end !== undefined) await registry.closeLink(device, instance, connectionId, end);
  }

  /**
   * An instance's links are written in the order in which they came, by this process alone: what counts as newer is of a
   * process before this one, whose clock was ahead.
   */
  async #open(link: LinkRecord): Promise<void> {
    const { registry } = this.#options;
    if ((await registry.openLink(link)) === 'opened') return;
    const stored = await registry.link(link.device, link.instance);
    if (stored?.connectionId === link.connectionId) return;
    const connectedAt = Math.max(link.connectedAt, (stored?.connectedAt ?? 0) + 1);
    await registry.openLink({ ...link, connectedAt });
  }
}
