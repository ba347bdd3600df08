import type { Clock, Timer } from '@pullwire/shared';
import type { LinkRecord, Registry } from '../registry/registry.ts';

interface LinkEnd {
  readonly at: number;
  readonly why: string;
}

interface Entry {
  link: LinkRecord;
  opened: boolean;
  end: LinkEnd | undefined;
  /** Changes while a write is under way call for another. */
  version: number;
}

export interface LinkJournalOptions {
  readonly registry: Pick<Registry, 'openLink' | 'closeLink'>;
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

  /** The link's whole record, after `hello`: also when the agent described itself anew. */
  opened(link: LinkRecord): void {
    const entry = this.#entries.get(link.connectionId);
    if (entry === undefined) {
      this.#entries.set(link.connectionId, { link, opened: true, end: undefined, version: 0 });
    } else {
      entry.link = link;
      entry.opened = true;
      entry.version += 1;
    }
    this.#write();
  }

  /** The link's last word. */
  closed(link: LinkRecord, end: LinkEnd): void {
    const entry = this.#entries.get(link.connectionId);
    if (entry === undefined) {
      this.#entries.set(link.connectionId, { link, opened: false, end, version: 0 });
    } else {
      entry.end = end;
      entry.version += 1;
    }
    this.#write();
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
    const { link, end } = entry;
    if (entry.opened) {
      entry.opened = false;
      await this.#options.registry.openLink(link).catch((error: unknown) => {
        entry.opened = true;
        throw error;
      });
    }
    if (end !== undefined) {
      await this.#options.registry.closeLink(link.device, link.instance, link.connectionId, end);
    }
  }
}
