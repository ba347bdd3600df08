const maxSegments = 30;
const reserved = /[?#%\\[\]{}\u0000-\u001f\u007f-\u009f\ufffd]/;

type SegmentMatcher = (segment: string) => boolean;

/**
 * A pattern over the decoded segments of a path: `/metrics`, `/api/*`, `/logs/**`, `/logs/*.log`. Case counts.
 *
 * - `*` alone is one segment that is not empty; a decoded `%2F` or a `;` inside it is part of it.
 * - `*` beside other text is any text without `/` and `;`: a server that drops `;…` (Tomcat) would otherwise read
 *   `secret;.log`, which `*.log` lets in, as `secret`.
 * - `**` is any number of segments, also none: `/logs/**` covers `/logs`, `/logs/` and all below.
 *
 * Matching is linear in the path: the set of positions that can still match is one bit each.
 */
export class PathPattern {
  readonly text: string;
  readonly #segments: readonly (SegmentMatcher | 'rest')[];
  readonly #start: number;

  /** Throws `Error` with what is expected, where `text` is not a pattern. */
  constructor(text: string) {
    this.text = text;
    this.#segments = compile(text);
    this.#start = this.#skipRests(1);
  }

  matches(segments: readonly string[]): boolean {
    return (this.#run(segments) & (1 << this.#segments.length)) !== 0;
  }

  /** Whether something below the folder `segments` could match. */
  leadsBelow(segments: readonly string[]): boolean {
    return (this.#run(segments) & ((1 << this.#segments.length) - 1)) !== 0;
  }

  #run(segments: readonly string[]): number {
    let positions = this.#start;
    for (let i = 0; i < segments.length && positions !== 0; i += 1) {
      positions = this.#skipRests(this.#step(positions, segments[i] as string));
    }
    return positions;
  }

  #step(positions: number, segment: string): number {
    let next = 0;
    for (let i = 0; i < this.#segments.length; i += 1) {
      if ((positions & (1 << i)) === 0) continue;
      const matcher = this.#segments[i];
      if (matcher === 'rest') next |= 1 << i;
      else if (matcher?.(segment)) next |= 1 << (i + 1);
    }
    return next;
  }

  /** `**` may stand for no segment at all. */
  #skipRests(positions: number): number {
    let all = positions;
    for (let i = 0; i < this.#segments.length; i += 1) {
      if ((all & (1 << i)) !== 0 && this.#segments[i] === 'rest') all |= 1 << (i + 1);
    }
    return all;
  }
}

function compile(text: string): (SegmentMatcher | 'rest')[] {
  if (!text.startsWith('/')) throw new Error('a pattern that begins with "/"');
  if (reserved.test(text)) {
    throw new Error('a pattern of decoded text and "*", without ? # % \\ [ ] { }');
  }
  const segments = text.slice(1).split('/');
  if (segments.length > maxSegments) throw new Error(`at most ${maxSegments} segments`);
  return segments.map((segment, i) => compileSegment(segment, i === segments.length - 1));
}

function compileSegment(text: string, isLast: boolean): SegmentMatcher | 'rest' {
  if (text === '**') return 'rest';
  if (text.includes('**')) throw new Error('"**" as a whole segment');
  if ((text === '' && !isLast) || text === '.' || text === '..') {
    throw new Error('segments that are not empty, "." or ".."');
  }
  if (text === '*') return (segment) => segment !== '';
  if (!text.includes('*')) return (segment) => segment === text;
  if (text.includes(';')) throw new Error('no ";" in a segment with "*"');
  return compileGlob(text.split('*'));
}

/** `a*b*c`: begins with the first piece, ends with the last, the others in between, in order, each where it comes first. */
function compileGlob(pieces: readonly string[]): SegmentMatcher {
  const first = pieces[0] as string;
  const last = pieces[pieces.length - 1] as string;
  const middle = pieces.slice(1, -1);
  return (segment) => {
    const end = segment.length - last.length;
    if (end < first.length || !segment.startsWith(first) || !segment.endsWith(last)) return false;
    if (segment.includes('/') || segment.includes(';')) return false;
    let at = first.length;
    for (const piece of middle) {
      const found = segment.indexOf(piece, at);
      if (found === -1 || found + piece.length > end) return false;
      at = found + piece.length;
    }
    return true;
  };
}
