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
  end: LinkEnd | undefined;
  /** Changes while a write is under way call for another. */
  version: number;
  /** A writer has it. */
  underWay: boolean;
}

export interface LinkJournalOptions {
  readonly registry: Pick<Registry, 'openLink' | 'describeLink' | 'closeLink'>;
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

  /** Resolves when all is written, or when the registry failed once more. */
  async flush(): Promise<void> {
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#write();
    while (this.#writers.size > 0) await Promise.all(this.#writers);
  }

  stop(): void {
    this.#retry?.cancel();
    this.#entries.clear();
  }

  #note(link: LinkRecord, change: Partial<Omit<Entry, 'link' | 'version' | 'underWay'>>): void {
    const { connectionId } = link;
    const entry = this.#entries.get(connectionId) ?? {
      link,
      opens: false,
      describes: false,
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

  /** The first one that no writer has; those that writers have stand at the front. */
  #next(): Entry | undefined {
    for (const entry of this.#entries.values()) if (!entry.underWay) return entry;
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
    const { link, opens, describes, end } = entry;
    const { device, instance, connectionId } = link;
    entry.opens = false;
    entry.describes = false;
    try {
      if (opens) await registry.openLink(link);
      else if (describes) await registry.describeLink(device, instance, connectionId, link);
    } catch (error) {
      entry.opens ||= opens;
      entry.describes ||= describes;
      throw error;
    }
    if (end !== undefined) await registry.closeLink(device, instance, connectionId, end);
  }
}
