import { readdirSync } from 'node:fs';
import { join } from 'node:path';

interface Pattern {
  readonly isException: boolean;
  readonly segments: readonly string[];
  /** Of the path itself, or of a folder above it. */
  readonly matches: RegExp;
}

/**
 * The rules of a `.dockerignore` (docs.docker.com, "Build context", ".dockerignore files"): `*` and `?` stay within a segment, a
 * leading dot counts as any character, `**` crosses segments, `!` makes an exception, and the last line that matches
 * decides.
 */
export class DockerIgnore {
  readonly #patterns: readonly Pattern[];

  constructor(text: string) {
    const lines = text.split('\n').map((line) => line.trim());
    this.#patterns = lines.filter((line) => line !== '' && !line.startsWith('#')).map(readPattern);
  }

  /** `path`: relative to the context, with `/`. */
  ignores(path: string): boolean {
    const last = this.#patterns.findLast(({ matches }) => matches.test(path));
    return last !== undefined && !last.isException;
  }

  /** The files below a folder that a build is given, relative to it and in order. */
  filesBelow(context: string, folder = ''): string[] {
    return readdirSync(join(context, folder), { withFileTypes: true })
      .flatMap((entry) => {
        const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
        if (entry.isDirectory()) return this.#mayHold(path) ? this.filesBelow(context, path) : [];
        return this.ignores(path) ? [] : [path];
      })
      .sort();
  }

  #mayHold(folder: string): boolean {
    return !this.ignores(folder) || this.#patterns.some((pattern) => reaches(pattern, folder));
  }
}

/** Whether an exception could bring back something below `folder`. */
function reaches({ isException, segments }: Pattern, folder: string): boolean {
  if (!isException) return false;
  const names = folder.split('/');
  for (const [index, name] of names.entries()) {
    const segment = segments[index];
    if (segment === '**') return true;
    if (segment === undefined || !expression([segment]).test(name)) return false;
  }
  return segments.length > names.length;
}

function readPattern(line: string): Pattern {
  const isException = line.startsWith('!');
  const segments = line
    .slice(isException ? 1 : 0)
    .split('/')
    .filter((segment) => segment !== '' && segment !== '.');
  return { isException, segments, matches: expression(segments, '(/.*)?') };
}

function expression(segments: readonly string[], tail = ''): RegExp {
  const source = segments.map((segment) => (segment === '**' ? '(.*/)?' : `${glob(segment)}/`));
  return new RegExp(`^${source.join('').replace(/\/$/, '')}${tail}$`);
}

function glob(segment: string): string {
  return segment
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^/]*')
    .replaceAll('?', '[^/]');
}
