import { type FSWatcher, readFileSync, statSync, watch } from 'node:fs';
import { dirname } from 'node:path';
import { createSecureContext, type SecureContextOptions } from 'node:tls';

export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
}

export interface CertificateEvents {
  renewed(tls: SecureContextOptions): void;
  /** The files changed, but make no pair (yet): the old certificate stays in use. */
  failed(error: unknown): void;
}

/** Reads key and certificate chain; throws where they are missing or do not belong together. */
export function readCertificate(files: CertificateFiles): SecureContextOptions {
  const pair = { cert: readFileSync(files.cert), key: readFileSync(files.key) };
  createSecureContext(pair);
  return pair;
}

/** Takes a renewed certificate into use when its files change, without a restart. */
export class CertificateWatch {
  readonly #files: CertificateFiles;
  readonly #events: CertificateEvents;
  #watchers: FSWatcher[] = [];
  #seen: string;

  constructor(files: CertificateFiles, events: CertificateEvents) {
    this.#files = files;
    this.#events = events;
    this.#seen = '';
  }

  start(): void {
    this.#seen = this.#stamp();
    // Folders, not files: renewal tools put new files or links in the place of the old ones.
    const folders = new Set([dirname(this.#files.cert), dirname(this.#files.key)]);
    this.#watchers = [...folders].map((folder) => watch(folder, () => this.#look()));
    for (const watcher of this.#watchers) watcher.on('error', this.#events.failed);
  }

  stop(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
  }

  #look(): void {
    try {
      const stamp = this.#stamp();
      if (stamp === this.#seen) return;
      const pair = readCertificate(this.#files);
      this.#seen = stamp;
      this.#events.renewed(pair);
    } catch (error) {
      this.#events.failed(error);
    }
  }

  #stamp(): string {
    return [this.#files.cert, this.#files.key]
      .map((file) => {
        const { mtimeMs, ino, size } = statSync(file);
        return `${ino}:${mtimeMs}:${size}`;
      })
      .join('|');
  }
}
