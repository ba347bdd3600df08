import { readFileSync } from 'node:fs';
import { SourceMap, type SourceMapPayload, type SourceMapping } from 'node:module';
import { dirname, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { CallFrame } from './cpu-profile.ts';

/** A function by its source, as people know it. */
export interface SourcePosition {
  readonly name: string;
  /** Relative to the repository; `node:…` for Node's own; empty for native code. */
  readonly file: string;
  /** From 1; 0 where there is none. */
  readonly line: number;
}

/** Finds the sources of frames in bundles, by the source maps beside these. */
export class SourcePositions {
  readonly #root: string;
  readonly #maps = new Map<string, SourceMap | undefined>();

  constructor(root: string) {
    this.#root = root;
  }

  of({ functionName, url, lineNumber, columnNumber }: CallFrame): SourcePosition {
    const name = functionName === '' ? '(anonymous)' : functionName;
    if (!url.startsWith('file:')) {
      return { name, file: url, line: url === '' ? 0 : lineNumber + 1 };
    }
    const bundle = fileURLToPath(url);
    const entry = this.#mapOf(bundle)?.findEntry(lineNumber, columnNumber);
    if (entry === undefined || !('originalSource' in entry)) {
      return { name, file: relative(this.#root, bundle), line: lineNumber + 1 };
    }
    // The frame stands behind the function's name; an entry right at it belongs to a parameter.
    const original = entry.generatedColumn < columnNumber ? nameOf(entry) : undefined;
    return {
      name: original ?? name,
      file: relative(this.#root, resolve(dirname(bundle), entry.originalSource)),
      line: entry.originalLine + 1,
    };
  }

  #mapOf(bundle: string): SourceMap | undefined {
    if (!this.#maps.has(bundle)) this.#maps.set(bundle, readMap(`${bundle}.map`));
    return this.#maps.get(bundle);
  }
}

/** The name before it was minified. Node gives it (module API, "sourceMap.findEntry"); @types/node does not know. */
function nameOf(entry: SourceMapping & { readonly name?: string }): string | undefined {
  return entry.name;
}

function readMap(file: string): SourceMap | undefined {
  try {
    return new SourceMap(JSON.parse(readFileSync(file, 'utf8')) as SourceMapPayload);
  } catch {
    return undefined; // not one of our bundles
  }
}
