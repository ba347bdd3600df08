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
}

export interface LinkJournalOptions {
  readonly registry: Pick<Registry, 'openLink' | 'describeLink' | 'closeLink'>;
  readonly clock: Clock;
  failed(error: unknown, waiting: number): void;
}

const retryMs = 5_000;

/**
 * Writes what becomes of links to the registry, behind their backs: live links never wait for it. Changes of one link
 * that come together are one write; what fails is written again until it stands.
 */
export class LinkJournal {
  readonly #options: LinkJournalOptions;
  readonly #entries = new Map<string, Entry>();
  #writing: Promise<void> | undefined;
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
    await this.#writing;
  }

  stop(): void {
    this.#retry?.cancel();
    this.#entries.clear();
  }

  #note(link: LinkRecord, change: Partial<Omit<Entry, 'link' | 'version'>>): void {
    const { connectionId } = link;
    const entry = this.#entries.get(connectionId) ?? {
      link,
      opens: false,
      describes: false,
      end: undefined,
      version: 0,
    };
    Object.assign(entry, change, { link, version: entry.version + 1 });
    this.#entries.set(connectionId, entry);
    this.#write();
  }

  #write(): void {
    if (this.#retry !== undefined) return;
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined;
    });
  }

  async #writeAll(): Promise<void> {
    for (const [connectionId, entry] of this.#entries) {
      const { version } = entry;
      try {
        await this.#writeOne(entry);
      } catch (error) {
        this.#options.failed(error, this.#entries.size);
        this.#retry = this.#options.clock.after(retryMs, () => {
          this.#retry = undefined;
          this.#write();
        });
        return;
      }
      // A Map visits what is put back at its end: a change meanwhile is written in this same round.
      this.#entries.delete(connectionId);
      if (entry.version !== version) this.#entries.set(connectionId, entry);
    }
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
