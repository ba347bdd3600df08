import { existsSync, readFileSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { Document, parseDocument } from 'yaml';
import { ConfigError } from './config-error.ts';

/** Settings that an enrolment brings, by their names at the top of the file. */
export type EnrolledSettings = Readonly<Record<string, string | boolean>>;

/** A configuration file, with its comments, before and after an enrolment. */
export class EnrolledConfig {
  readonly path: string;
  readonly #document: Document;

  /**
   * A file that is not there is a new one.
   *
   * @throws ConfigError where it is no YAML.
   */
  constructor(path: string) {
    this.path = path;
    const document = existsSync(path)
      ? parseDocument(readFileSync(path, 'utf8'))
      : new Document({});
    if (document.errors.length > 0 || !isMap(document)) {
      throw new ConfigError([
        { key: path, value: undefined, expected: 'settings in YAML or JSON' },
      ]);
    }
    this.#document = document;
  }

  /** What stands there as text; undefined where nothing does. */
  text(key: string): string | undefined {
    const value: unknown = this.#document.get(key);
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  /** Adds what is not there yet, and writes the file whole or not at all. */
  async add(settings: EnrolledSettings): Promise<void> {
    for (const [key, value] of Object.entries(settings)) {
      if (!this.#document.has(key)) this.#document.set(key, value);
    }
    const draft = `${this.path}.${process.pid}.new`;
    const file = await open(draft, 'w', 0o600);
    try {
      await file.writeFile(String(this.#document));
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, this.path);
  }
}

function isMap(document: Document): boolean {
  if (document.contents === null) document.contents = new Document({}).contents;
  return typeof document.toJS() === 'object' && !Array.isArray(document.toJS());
}
