import { existsSync, readFileSync, statSync } from 'node:fs';
import { Document, isMap, parseDocument } from 'yaml';
import { replaceFile } from '../identity/replace-file.ts';
import { ConfigError } from './config-error.ts';

/** Settings that an enrolment brings, by their names at the top of the file. */
export type EnrolledSettings = Readonly<Record<string, string | boolean>>;

/** A configuration file before and after an enrolment: what somebody wrote there stays as it is. */
export class EnrolledConfig {
  readonly path: string;
  readonly #text: string;
  readonly #document: Document.Parsed;

  /**
   * A file that is not there is a new one.
   *
   * @throws ConfigError where it holds no settings.
   */
  constructor(path: string) {
    this.path = path;
    this.#text = existsSync(path) ? readFileSync(path, 'utf8') : '';
    this.#document = parseDocument(this.#text);
    const { errors, contents } = this.#document;
    if (errors.length > 0 || !(contents === null || isMap(contents))) {
      throw new ConfigError([
        { key: path, value: undefined, expected: 'settings in YAML or JSON' },
      ]);
    }
  }

  /** Whether anything stands there. */
  has(key: string): boolean {
    return this.#document.has(key);
  }

  /** What stands there as text; undefined where nothing does. */
  text(key: string): string | undefined {
    const value: unknown = this.#document.get(key);
    return typeof value === 'string' && value !== '' ? value : undefined;
  }

  /** Adds what is not there yet, and writes the file whole or not at all. */
  async add(settings: EnrolledSettings): Promise<void> {
    const missing = Object.entries(settings).filter(([key]) => !this.#document.has(key));
    if (missing.length === 0) return;
    // Whoever could read it before still can: the agent may run as somebody else.
    const mode = statSync(this.path, { throwIfNoEntry: false })?.mode;
    await replaceFile(this.path, this.#with(missing), mode && mode & 0o777);
  }

  #with(missing: readonly (readonly [string, string | boolean])[]): string {
    const { contents } = this.#document;
    const lines = String(new Document(Object.fromEntries(missing)));
    // Lines can be put before a map in lines, unless it is indented or has a `---`; one in braces is written anew.
    const isFlow = isMap(contents) && contents.flow === true;
    if (!isFlow && parseDocument(lines + this.#text).errors.length === 0) return lines + this.#text;
    const json = parseJson(this.#text);
    if (json !== undefined) {
      return `${JSON.stringify({ ...json, ...Object.fromEntries(missing) }, undefined, 2)}\n`;
    }
    for (const [key, value] of missing) this.#document.set(key, value);
    return String(this.#document);
  }
}

/** Undefined where it is YAML in braces. */
function parseJson(text: string): object | undefined {
  try {
    return JSON.parse(text) as object;
  } catch {
    return undefined;
  }
}
